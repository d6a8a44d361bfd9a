"""What policy sees of a request is what upstream will read, or the request is refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.frames.jsonrpc import look
from gateway.policy import Around, UnreadableError, calls_of
from gateway.policy.facts import Call, ConnectionFacts, PrincipalFacts
from gateway.policy.recorded import Recorded, calls_from_recorded

AROUND = Around(
    tools=lambda name: ({"readOnlyHint": name == "reads"}, "pinned"), protocol_version="2025-11-25"
)


def tool_call(**params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


def test_a_tool_call_has_its_name_arguments_annotations_and_state() -> None:
    (call,) = calls_of(tool_call(name="reads", arguments={"a": [1, {"b": None}]}), AROUND)
    assert (call.tool.name, call.tool.arguments) == ("reads", {"a": [1, {"b": None}]})
    assert (call.tool.annotations, call.tool.state) == ({"readOnlyHint": True}, "pinned")
    assert (call.mcp.method, call.mcp.notification, call.mcp.batch) == ("tools/call", False, False)


@pytest.mark.parametrize("params", [{"name": "x"}, {"name": "x", "arguments": None}])
def test_a_tool_call_without_arguments_has_none(params: dict[str, Any]) -> None:
    assert calls_of(tool_call(**params), AROUND)[0].tool.arguments == {}


def test_numbers_of_any_size_are_seen_as_they_stand() -> None:
    (call,) = calls_of(tool_call(name="x", arguments={"n": 2**80, "f": 0.1}), AROUND)
    assert call.tool.arguments == {"n": 2**80, "f": 0.1}


@pytest.mark.parametrize(
    ("method", "params", "resource", "task"),
    [
        ("resources/read", {"uri": "file:///a"}, "file:///a", ""),
        ("prompts/get", {"name": "greet"}, "greet", ""),
        ("completion/complete", {"ref": {"type": "ref/resource", "uri": "file:///b"}}, "file:///b", ""),
        ("tasks/get", {"taskId": "t-1"}, "", "t-1"),
        ("ping", None, "", ""),
    ],
)
def test_what_a_message_names_is_seen(method: str, params: Any, resource: str, task: str) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    (call,) = calls_of(body.encode(), AROUND)
    assert (call.mcp.method, call.mcp.resource, call.mcp.task) == (method, resource, task)


def test_abuse_57_each_member_of_a_batch_is_a_call_and_answers_are_none() -> None:
    batch = [
        json.loads(tool_call(name="a")),
        {"jsonrpc": "2.0", "id": 3, "result": {}},
        {"method": "notifications/x"},
    ]
    first, second = calls_of(json.dumps(batch).encode(), AROUND)
    assert (first.tool.name, first.mcp.batch) == ("a", True)
    assert (second.mcp.method, second.mcp.notification) == ("notifications/x", True)


def test_a_request_without_a_body_is_one_call_without_a_method() -> None:
    assert [call.mcp.method for call in calls_of(b"", AROUND)] == [""]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'{"method":"x"} {}',
        b'{"method":"tools/call","params":{"name":"x","arguments":{"a":NaN}}}',
        b'{"method":"tools/call","params":{"name":"x","arguments":{"a":1e400}}}',
        b'{"method":"tools/call","params":{"name":"x","arguments":{"a":"\\ud800"}}}',
        b'{"Method":"tools/call","method":"ping"}',
        b'{"method":"tools/call","params":{"name":"a","Name":"b"}}',
        b'{"method":"tools/call","params":{"name":"a","\xc5\xbfarguments":{}},"PARAMS":{}}',
        '{"method":"tools/call","params":{"name":"a","taſkId":"b"}}'.encode(),
        b'{"method":"tools/call","params":["a"]}',
        b'{"method":"tools/call","params":{}}',
        b'{"method":"tools/call","params":{"name":["a"]}}',
        b'{"method":"tools/call","params":{"name":"a","arguments":[1]}}',
        b'{"method":"resources/read","params":{"uri":["a"]}}',
        b'{"method":5}',
        b"{}",
        b"5",
        b"[]",
        b"[[]]",
        b'[{"method":"ping"},{}]',
    ],
)
def test_abuse_56_what_two_readers_could_take_differently_gives_no_call(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        calls_of(body, AROUND)


def test_the_text_of_a_refusal_shows_nothing_of_the_request() -> None:
    with pytest.raises(UnreadableError) as raised:
        calls_of(b'{"method":"tools/call","params":{"name":["hunter2"]}}', AROUND)
    assert "hunter2" not in str(raised.value)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)  # for a busy machine
@given(names, st.dictionaries(names, values, max_size=4), st.booleans())
def test_abuse_56_policy_sees_what_the_record_and_an_ordinary_reader_see(
    name: str, arguments: Any, ascii_only: bool
) -> None:
    sent = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }
    body = json.dumps(sent, ensure_ascii=ascii_only).encode()
    (call,) = calls_of(body, AROUND)
    seen, read = look(body), json.loads(body)
    assert (
        (call.mcp.method, call.tool.name)
        == (seen.method, seen.tool)
        == (read["method"], read["params"]["name"])
    )
    assert call.tool.arguments == read["params"]["arguments"]


@settings(deadline=None)  # for a busy machine
@given(
    st.binary(max_size=60)
    | st.from_regex(r'[\[{]("(method|params|name)":|["a-z:,{}\[\]0-9 ]){0,20}', fullmatch=True).map(
        str.encode
    )
)
def test_any_bytes_give_calls_or_are_refused(body: bytes) -> None:
    with suppress(UnreadableError):
        assert all(call.mcp.batch == (body.lstrip()[:1] == b"[") for call in calls_of(body, AROUND))


def test_a_recorded_request_is_the_call_that_it_was() -> None:
    recorded = Recorded(
        tool_call(name="reads", arguments={"q": "[masked]"}),
        path="/mcp/demo?x=1",
        peer="127.0.0.1:5",
        user_agent="agent/1",
        principal=PrincipalFacts("https://i", "alice", ("sre",)),
        session_id="s",
        secrets=1,
        protocol_version="2025-11-25",
        mcp_session_id="m",
        tool_states="unknown,changed",
        recorded_at=12.5,
    )
    connection = ConnectionFacts("demo", labels={"env": "test"})
    (call,) = calls_from_recorded(recorded, connection, {"reads": {"readOnlyHint": True}}, calls=4, denied=2)
    assert (call.http.path, call.http.query, call.http.peer) == ("/mcp/demo", "x=1", "127.0.0.1:5")
    assert (call.tool.annotations, call.tool.state) == ({"readOnlyHint": True}, "changed")
    assert (call.session.id, call.session.calls, call.session.denied, call.session.secrets) == ("s", 4, 2, 1)
    assert (call.principal.groups, call.connection, call.now) == (("sre",), connection, 12.5)
    assert (call.mcp.protocol_version, call.mcp.session_id) == ("2025-11-25", "m")


def kubernetes_call(path: str, body: bytes = b"", headers: str = "", **more: Any) -> Call:
    recorded = Recorded(body, path=path, headers=headers, cluster="eu", body_bytes=len(body), **more)
    (call,) = calls_from_recorded(recorded, ConnectionFacts("prod", "kubernetes"), {})
    return call


def test_a_recorded_request_to_an_api_server_has_the_facts_that_it_had() -> None:
    headers = "content-type: application/merge-patch+json\nimpersonate-user: ann\nauthorization: [masked:credential]"
    call = kubernetes_call(
        "/k8s/prod/apis/apps/v1/namespaces/prod/deployments/web?dryRun=All",
        b'{"spec":{"replicas":2}}',
        headers,
        method="PATCH",
    )
    facts = call.kubernetes
    assert (facts["verb"], facts["name"], facts["cluster"], facts["dryRun"]) == ("patch", "web", "eu", True)
    assert (facts["changes"], facts["impersonate"]["user"]) == (["spec.replicas"], "ann")
    assert call.http.path == "/apis/apps/v1/namespaces/prod/deployments/web"


def test_a_recorded_request_by_host_has_no_prefix() -> None:
    assert kubernetes_call("/api/v1/namespaces/prod/pods", method="GET").kubernetes["verb"] == "list"


def test_a_body_in_protobuf_is_recorded_as_json() -> None:
    kind = "content-type: application/vnd.kubernetes.protobuf"
    path = "/k8s/prod/api/v1/namespaces/prod/secrets"
    facts = kubernetes_call(path, b'{"kind":"Secret","metadata":{"name":"db"}}', kind).kubernetes
    assert (facts["kind"], facts["name"], facts["object_known"]) == ("Secret", "db", True)
    recorded = Recorded(b"", path=path, headers=kind, body_bytes=70)
    (call,) = calls_from_recorded(recorded, ConnectionFacts("prod", "kubernetes"), {})
    assert call.kubernetes["object_known"] is False


def test_a_recorded_request_with_two_readings_stays_unreadable() -> None:
    with pytest.raises(UnreadableError):
        kubernetes_call("/k8s/prod/api/v1/pods?limit=1;watch=1", method="GET")


def test_a_recorded_request_to_an_http_api_is_judged_without_its_body() -> None:
    recorded = Recorded(b"any text", path="/http/shop/v1/items?a=b", method="PUT")
    (call,) = calls_from_recorded(recorded, ConnectionFacts("shop", "http"), {})
    assert (call.http.method, call.http.path, call.mcp.method) == ("PUT", "/v1/items", "")
