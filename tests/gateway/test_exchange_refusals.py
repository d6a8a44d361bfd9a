"""Requests that are refused before upstream, without I/O."""

from __future__ import annotations

import base64

import pytest

from gateway.effects import Answer, Broken
from gateway.frames.headers import Headers
from gateway.refusals import REFUSALS
from gateway.settings import Limits
from tests.gateway.playbook import UNMASKABLE, Playbook, Told, forwarded, frame, noted, recorded, request

MODERN = (
    b'{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"pods_log","arguments":{"n":"x"},'
    b'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}'
)
VERSION = (b"mcp-protocol-version", b"2026-07-28")


def modern(method: bytes = b"tools/call", name: bytes = b"pods_log") -> Headers:
    """The routing headers of a call in 2026-07-28."""
    return [VERSION, (b"mcp-method", method), (b"mcp-name", name)]


def in_base64(text: bytes) -> bytes:
    """The form for values that are no plain header text."""
    return b"=?base64?" + base64.b64encode(text) + b"?="


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"[" * 200 + b"]" * 200, [], "too_deep"),
        (b"{}", [(b"content-encoding", b"gzip")], "content_encoding"),
        (b"[" + b"{}," * 100 + b"{}]", [], "batch_too_large"),
        (MODERN, modern(method=b"tools/list"), "header_mismatch"),
        (MODERN, modern(name=b"pods_delete"), "header_mismatch"),
        (MODERN, modern(name=in_base64(b"pods_delete")), "header_mismatch"),
        (MODERN, modern(name=b"=?base64?!!!?="), "header_mismatch"),
        (MODERN, [*modern(), (b"mcp-param-n", b"y")], "header_mismatch"),
        (MODERN, [*modern(), (b"mcp-method", b"tools/call")], "header_mismatch"),
        (MODERN, modern()[1:], "header_mismatch"),
        (UNMASKABLE, [], "request_masking_failed"),
    ],
)
def test_g6_g12_a_faulty_request_is_recorded_refused_and_not_forwarded(
    body: bytes, headers: Headers, reason: str
) -> None:
    status = REFUSALS[reason].status
    assert (
        Playbook(request(body, headers), Limits(json_depth_max=128))
        << recorded(
            frame("request", outcome="refused", reason_code=reason, http_status=status, verdict="none")
        )
        >> True
        << Told(reason)
    )


@pytest.mark.parametrize("name", [b"pods_log", in_base64(b"pods_log")])
def test_headers_that_agree_with_the_body_are_forwarded_in_plain_and_in_base64(name: bytes) -> None:
    headers = modern(name=name)
    assert (
        Playbook(request(MODERN, headers))
        << recorded(frame("request", verdict="allow"))
        >> True
        << forwarded(headers=[*headers, (b"content-type", b"application/json")])
        >> Broken("upstream_failed", "upstream_broke", "")
        << recorded(frame("end"))
        >> True
        << Told("upstream_broke")
    )


def test_a_header_mismatch_says_which_header_and_answers_the_requests_id() -> None:
    play = Playbook(request(MODERN, modern(method=b"ping"))) << recorded(frame("request")) >> True
    answer = play.effect
    assert isinstance(answer, Answer)
    for words in (b'"id":"a"', b"mcp-method header does not match", b"-32020"):
        assert words in answer.body


def test_what_the_edge_found_is_recorded_with_what_came() -> None:
    assert (
        Playbook(request(b'{"half":'), refused="body_incomplete")
        << recorded(frame("request", outcome="refused", reason_code="body_incomplete", body=b'{"half":'))
        >> True
        << Told("body_incomplete")
    )


def test_g3_a_refusal_that_is_not_acknowledged_is_told_and_noted_as_the_503_it_is() -> None:
    assert (
        Playbook(request(), refused="unknown_connection")
        << recorded(frame("request", outcome="refused", http_status=404))
        >> False
        << noted(frame("end", outcome="refused", reason_code="audit_unavailable", http_status=503))
        << Told("audit_unavailable")
    )
