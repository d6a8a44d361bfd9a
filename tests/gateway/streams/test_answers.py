"""Whole answers of an API server without I/O, and what it is asked for."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gateway.effects import Answer, CutStream, Head, OpenStream, ReadBody, ReadChunk, Send
from gateway.frames.forms import Form, form_of_http, form_of_kubernetes
from gateway.kubernetes import answers, request_info
from gateway.settings import ConnectionKind
from tests.gateway.playbook import JSON, PSEUDONYM, SECRET, Playbook, forwarded, frame, noted, recorded
from tests.gateway.streams.plays import PODS, Play, asked, streaming

TABLE = b"application/json;as=Table;v=v1;g=meta.k8s.io"
PROTOBUF = b"application/vnd.kubernetes.protobuf"
OPENAPI = b"application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


@pytest.mark.parametrize(
    ("accept", "upstream"),
    [
        (b"application/json", b"application/json"),
        (b"*/*", b"*/*"),
        (PROTOBUF, b"application/json"),
        (PROTOBUF + b", application/json", b"application/json"),
        (PROTOBUF + b";q=0.9,application/json;q=0.8, */*;q=0.1", b"application/json;q=0.8,*/*;q=0.1"),
        (
            TABLE + b"," + PROTOBUF + b";as=Table;v=v1;g=meta.k8s.io,application/json",
            TABLE + b",application/json",
        ),
        (b"Application/CBOR, application/yaml", b"application/yaml"),
        (b"application/vnd.kubernetes.protobuf;type=watch,application/json", b"application/json"),
        (b"application/apply-patch+cbor", b"application/json"),
    ],
)
def test_an_api_server_is_asked_for_nothing_that_masking_cannot_look_into(
    accept: bytes, upstream: bytes
) -> None:
    headers = [(b"user-agent", b"kubectl"), (b"accept", accept), (b"x-other", b"1")]
    got = answers.asked_in_json(headers, request_info("GET", PODS, ""))
    assert got == [(b"user-agent", b"kubectl"), (b"accept", upstream), (b"x-other", b"1")]


def test_several_accept_headers_are_one_and_none_stays_none() -> None:
    info = request_info("GET", PODS, "")
    two = [(b"accept", PROTOBUF), (b"accept", b"application/json;q=0.5")]
    assert answers.asked_in_json(two, info) == [(b"accept", b"application/json;q=0.5")]
    assert answers.asked_in_json([], info) == []


def test_schemas_are_asked_for_as_the_client_wants_them() -> None:
    headers = [(b"accept", OPENAPI + b",application/json")]
    assert answers.asked_in_json(headers, request_info("GET", "/openapi/v2", "")) == headers


@pytest.mark.parametrize(
    ("target", "describes"),
    [
        ("/api", True),
        ("/api/v1", True),
        ("/apis", True),
        ("/apis/apps", True),
        ("/apis/apps/v1", True),
        ("/apis/apps/v1/", True),
        ("/openapi/v2", True),
        ("/openapi/v3/apis/apps/v1", True),
        ("/version", True),
        ("/version/", True),
        ("/api/v1/secrets", False),
        ("/apis/apps/v1/deployments", False),
        ("/apiserver", False),
        ("/versions", False),
        ("/openapi/v3x", False),
        ("/metrics", False),
        ("/", False),
    ],
)
def test_what_only_describes_the_api_is_known_by_its_path(target: str, describes: bool) -> None:
    assert answers.is_metadata(request_info("GET", target, "")) == describes


def answered(target: str, head: Head, body: bytes) -> Playbook:
    """A play that has come to the body of an answer."""
    play = Play(asked(target)) << recorded(frame("request")) >> True << forwarded() >> head
    return play << ReadBody() >> body


def test_the_body_of_a_schema_is_recorded_by_its_digest_alone() -> None:
    schema = b'{"swagger":"2.0"}' * 1000
    headers = [*JSON, (b"etag", b'"A1"')]
    play = answered("/openapi/v2", Head(200, headers), schema)
    play = play << recorded(frame("response", body=b"", body_bytes=len(schema), outcome="completed"))
    attributes = play.exchange.base["attributes"]
    assert isinstance(attributes, dict)
    assert attributes["http.body.sha256"] == sha256(schema).hexdigest()
    assert play >> True << Answer(200, headers, schema)


def test_a_schema_in_protobuf_passes_as_it_is() -> None:
    binary = [(b"content-type", OPENAPI)]
    raw = b"\x0a\x00" + SECRET
    play = answered("/openapi/v2", Head(200, binary), raw) << recorded(frame("response", body=b"")) >> True
    assert play << Answer(200, binary, raw)


def test_a_condition_on_a_schema_goes_on_and_304_comes_back() -> None:
    request = asked("/openapi/v2", headers=[(b"if-none-match", b'"A1"')])
    play = (
        Play(request)
        << recorded(frame("request"))
        >> True
        << forwarded(headers=[(b"if-none-match", b'"A1"')])
    )
    play = play >> Head(304, [(b"etag", b'"A1"')]) << ReadBody() >> b""
    play = play << recorded(frame("response", http_status=304)) >> True
    assert play << Answer(304, [(b"etag", b'"A1"')], b"")


@pytest.mark.parametrize(
    ("target", "query", "form"),
    [
        (f"{PODS}/web", "", PROTOBUF),
        (PODS, "watch=true", PROTOBUF + b";stream=watch"),
        (PODS, "", b"application/cbor"),
    ],
)
def test_what_came_in_protobuf_although_nobody_asked_for_it_is_withheld(
    target: str, query: str, form: bytes
) -> None:
    play = Play(asked(target, query)) << recorded(frame("request")) >> True << forwarded()
    play = play >> Head(200, [(b"content-type", form)])
    play = play << noted(frame("end", outcome="withheld", reason_code="upstream_encoded"))
    play >> None
    assert isinstance(play.effect, Answer)
    assert (play.effect.status, b'"kind":"Status"' in play.effect.body) == (502, True)


def test_a_list_is_masked_and_recorded_whole() -> None:
    body = b'{"kind":"PodList","items":["%b"]}' % SECRET
    masked = body.replace(SECRET, PSEUDONYM)
    play = answered(PODS, Head(200, JSON), body) << recorded(
        frame("response", body=masked, jsonrpc_type="none")
    )
    assert play >> True << Answer(200, JSON, masked)


def test_the_answer_to_head_says_the_length_that_upstream_says() -> None:
    headers = [*JSON, (b"content-length", b"4711")]
    play = Play(asked(PODS, method="HEAD")) << recorded(frame("request")) >> True << forwarded(method="HEAD")
    play = play >> Head(200, headers) << ReadBody() >> b"" << recorded(frame("response", body=b"")) >> True
    assert play << Answer(200, headers, b"")


def test_a_watch_that_is_refused_is_a_body() -> None:
    status = b'{"kind":"Status","code":410}'
    play = Play(asked(PODS, "watch=true")) << recorded(frame("request")) >> True << forwarded()
    play = play >> Head(410, JSON) << ReadBody() >> status << recorded(frame("response", body=status)) >> True
    assert play << Answer(410, JSON, status)


def typed(kind: bytes, length: int | None = None) -> list[tuple[bytes, bytes]]:
    """Headers of an answer."""
    said = [(b"content-type", kind)]
    return said if length is None else [*said, (b"content-length", b"%d" % length)]


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        (typed(b"application/json"), Form.BODY),
        (typed(b"application/json", 30_000_000), Form.BODY),
        (typed(b"application/problem+json"), Form.BODY),
        (typed(b"application/yaml"), Form.BODY),
        (typed(b"text/csv; charset=utf-8"), Form.BODY),
        (typed(b"text/html"), Form.BODY),
        ([], Form.BODY),
        (typed(b"application/json;stream=watch"), Form.LINES),
        (typed(b"application/json; stream=watch"), Form.LINES),
        (typed(b"application/x-ndjson"), Form.LINES),
        (typed(b"Application/NDJSON; charset=utf-8"), Form.LINES),
        (typed(b"application/jsonl; charset=utf-16"), Form.UNCLEAR),
        (typed(b"text/event-stream"), Form.EVENTS),
        (typed(b"text/event-stream, text/plain"), Form.UNCLEAR),
        (typed(b"text/plain"), Form.TEXT),
        (typed(b"text/plain", 1000), Form.BODY),
        (typed(b"text/plain", 2_000_000), Form.TEXT),
        (typed(b"text/plain; charset=utf-16"), Form.BODY),
        (typed(b"application/octet-stream"), Form.PIECES),
        (typed(b"application/octet-stream", 1000), Form.BODY),
        (typed(b"application/zip", 90_000_000), Form.PIECES),
    ],
)
def test_the_form_of_an_answer_is_told_by_its_type_and_length(
    headers: list[tuple[bytes, bytes]], form: Form
) -> None:
    assert form_of_http(headers) is form


@pytest.mark.parametrize(
    ("target", "query", "status", "headers", "form"),
    [
        (PODS, "watch=true", 200, typed(b"application/json"), Form.LINES),
        (PODS, "watch=true", 403, typed(b"application/json"), Form.BODY),
        (PODS, "", 200, typed(b"application/json"), Form.BODY),
        (f"{PODS}/web/log", "", 200, typed(b"text/plain"), Form.TEXT),
        (f"{PODS}/web/log", "follow=true", 200, typed(b"application/octet-stream"), Form.TEXT),
        (f"{PODS}/web/log", "", 400, typed(b"application/json"), Form.BODY),
        (f"{PODS}/web/proxy/events", "", 200, typed(b"text/event-stream"), Form.EVENTS),
        (f"{PODS}/web/proxy/api", "", 200, typed(b"application/json"), Form.BODY),
        ("/api/v1/nodes/n1/proxy/metrics", "", 200, typed(b"text/plain; version=0.0.4"), Form.TEXT),
        ("/metrics", "", 200, typed(b"text/plain"), Form.TEXT),
    ],
)
def test_the_form_of_an_api_servers_answer_is_told_by_its_request_first(
    target: str, query: str, status: int, headers: list[tuple[bytes, bytes]], form: Form
) -> None:
    info = request_info("GET", target, query)
    assert form_of_kubernetes(info.verb, info.subresource, status, headers) is form


def test_a_stream_of_events_over_http_ends_with_problem_details() -> None:
    head = typed(b"text/event-stream")
    one = b"data: 1\n\n"
    play = streaming(asked("/events"), head, one, ConnectionKind.HTTP) << recorded(frame("response")) >> True
    play = (
        play
        << OpenStream(200, head)
        << Send(one)
        << ReadChunk()
        >> one
        << recorded(frame("response"))
        >> False
    )
    play = play << noted(frame("end", outcome="withheld", reason_code="result_withheld"))
    play >> None
    assert isinstance(play.effect, Send)
    assert play.effect.data.startswith(b'event: error\ndata: {"title":')
    play >> None
    assert play << CutStream()
