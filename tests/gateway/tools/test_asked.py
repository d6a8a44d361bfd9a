"""What upstream asks of a client is seen, and what is refused reaches no client."""

from __future__ import annotations

import json

from gateway.policy.verdict import Verdict
from gateway.tools.asked import Asked, asked_by_server, refusal, without_asked

SAMPLING = b'{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{"messages": [ ]}}'
ROOTS = b'{"jsonrpc":"2.0","id":2,"method":"roots/list"}'
PROGRESS = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{}}'


def event(*lines: bytes) -> bytes:
    """An event with an id."""
    return b"".join(
        [b"id: 7\r\nevent: message\r\n", *(b"data: " + line + b"\r\n" for line in lines), b"\r\n"]
    )


def test_requests_on_a_stream_are_seen() -> None:
    assert asked_by_server(event(SAMPLING), event=True) == [
        Asked("sampling/createMessage", '"s1"', b'{"messages": [ ]}')
    ]
    batch = b"[" + b",".join([ROOTS, PROGRESS, SAMPLING]) + b"]"
    assert [asked.method for asked in asked_by_server(batch)] == ["roots/list", "sampling/createMessage"]


def test_input_requests_of_an_answer_are_seen() -> None:
    body = (
        b'{"id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create",'
        b'"params":{"message":"?"}},"b":{"method":"roots/list"}}}}'
    )
    assert asked_by_server(body) == [
        Asked("elicitation/create", "", b'{"message":"?"}', "a"),
        Asked("roots/list", "", b"", "b"),
    ]
    assert [json.loads(asked.body) for asked in asked_by_server(body)] == [
        {"jsonrpc": "2.0", "id": "a", "method": "elicitation/create", "params": {"message": "?"}},
        {"jsonrpc": "2.0", "id": "b", "method": "roots/list"},
    ]


def test_escapes_and_repeated_keys_hide_nothing() -> None:
    escaped = SAMPLING.replace(b'"method"', b'"meth\\u006fd"').replace(b"sampling", b"s\\u0061mpling")
    assert [asked.method for asked in asked_by_server(escaped)] == ["sampling/createMessage"]
    twice = SAMPLING.replace(b'"method"', b'"method":"ping","method"')
    assert [asked.method for asked in asked_by_server(twice)] == ["ping", "sampling/createMessage"]


def test_answers_and_notifications_ask_nothing() -> None:
    for body in (PROGRESS, b'{"id":1,"result":{"method":"x"}}', b"", b"{", b'{"method":"x","id":'):
        assert asked_by_server(body) == []


def test_a_refused_request_leaves_an_event_that_says_nothing_but_its_id() -> None:
    assert without_asked(event(SAMPLING), {'"s1"'}, event=True) == b"id: 7\r\n\r\n"
    assert without_asked(event(SAMPLING), {'"s2"'}, event=True) == event(SAMPLING)
    assert without_asked(event(b"[", SAMPLING, b",", ROOTS, b"]"), {'"s1"'}, event=True) == event(
        b"[", b"", b"", ROOTS, b"]"
    )


def test_upstream_is_told_as_by_a_client_that_says_no() -> None:
    (asked,) = asked_by_server(SAMPLING)
    verdict = Verdict("deny", "no-sampling", "no server asks our models", "policy_denied")
    assert json.loads(refusal(asked, verdict, "x")) == {
        "jsonrpc": "2.0",
        "id": "s1",
        "error": {
            "code": -32089,
            "message": "Not executed: refused by policy: no server asks our models (rule no-sampling). Exchange x.",
            "data": {"reason": "policy_denied", "rule": "no-sampling", "exchange_id": "x"},
        },
    }
