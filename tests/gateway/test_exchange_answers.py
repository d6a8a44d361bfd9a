"""One exchange that ends in one answer, without I/O."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace

import brotli
import pytest
from backports import zstd

from gateway.effects import (
    Answer,
    Broken,
    Gone,
    Head,
    OpenStream,
    ReadBody,
    ReadChunk,
    ReadReady,
    Record,
    Send,
)
from gateway.sessions import session_id
from tests.gateway.playbook import (
    ALICE,
    CALL,
    EVENTS,
    JSON,
    PSEUDONYM,
    SECRET,
    UNMASKABLE,
    Playbook,
    Told,
    forwarded,
    frame,
    noted,
    recorded,
    request,
)

RESULT = b'{"jsonrpc":"2.0",  "id":7,"result":{"content":[],"isError":false}}'
ASKED = recorded(
    frame("request", outcome="pending", method="tools/call", tool="pods_list", jsonrpc_id="7", body=CALL)
)


def test_g1_g2_a_json_answer_is_recorded_and_then_given_as_it_came() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded(method="POST", body=CALL)
        >> Head(200, [*JSON, (b"content-length", b"66"), (b"connection", b"close"), (b"x-more", b"1")])
        << ReadBody()
        >> RESULT
        << recorded(
            frame(
                "response",
                outcome="completed",
                http_status=200,
                jsonrpc_type="response",
                tool_is_error=False,
                tool="pods_list",
                body=RESULT,
            )
        )
        >> True
        << Answer(200, [*JSON, (b"x-more", b"1")], RESULT)
    )


def test_an_empty_202_is_given_as_an_empty_202() -> None:
    notification = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
    assert (
        Playbook(request(notification))
        << recorded(frame("request", jsonrpc_type="notification", jsonrpc_id=""))
        >> True
        << forwarded(body=notification)
        >> Head(202, [])
        << ReadBody()
        >> b""
        << recorded(frame("response", outcome="completed", http_status=202, body=b""))
        >> True
        << Answer(202, [], b"")
    )


def test_upstreams_own_error_status_and_body_survive() -> None:
    error = b'{"jsonrpc":"2.0","id":7,"error":{"code":-32022,"message":"unsupported version"}}'
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(400, JSON)
        << ReadBody()
        >> error
        << recorded(frame("response", outcome="completed", http_status=400, jsonrpc_error=-32022, body=error))
        >> True
        << Answer(400, JSON, error)
    )


def test_a_batch_is_recorded_with_the_facts_of_its_members() -> None:
    batch = (
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"},'
        b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x"}}]'
    )
    answers = b'[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{"isError":true}}]'
    assert (
        Playbook(request(batch))
        << recorded(
            frame("request", jsonrpc_type="batch", jsonrpc_id="1,2", method="ping,tools/call", tool="x")
        )
        >> True
        << forwarded(body=batch)
        >> Head(200, JSON)
        << ReadBody()
        >> answers
        << recorded(frame("response", jsonrpc_type="batch", tool_is_error=True, body=answers))
        >> True
        << Answer(200, JSON, answers)
    )


def test_an_initialize_opens_a_session_that_its_answer_already_carries() -> None:
    before, opened = session_id("demo", ALICE, ""), session_id("demo", ALICE, "s-1")
    assert before != opened
    assert (
        Playbook(request())
        << recorded(frame("request", session_id=before, mcp_session_id=""))
        >> True
        << forwarded(session_id=before)
        >> Head(200, [*JSON, (b"mcp-session-id", b"s-1")])
        << ReadBody()
        >> RESULT
        << recorded(frame("response", session_id=opened, mcp_session_id="s-1"))
        >> True
        << Answer(200, [*JSON, (b"mcp-session-id", b"s-1")], RESULT)
    )


def test_a_delete_ends_a_session_as_any_exchange_of_it() -> None:
    session = session_id("demo", ALICE, "s-1")
    assert (
        Playbook(request(b"", [(b"mcp-session-id", b"s-1")], method="DELETE"))
        << recorded(frame("request", http_method="DELETE", session_id=session, jsonrpc_type="none"))
        >> True
        << forwarded(method="DELETE", headers=[(b"mcp-session-id", b"s-1")], body=b"")
        >> Head(200, [])
        << ReadBody()
        >> b""
        << recorded(frame("response", outcome="completed", session_id=session))
        >> True
        << Answer(200, [], b"")
    )


def test_what_is_masked_is_recorded_and_given_masked_and_the_request_goes_on_whole() -> None:
    asked = CALL.replace(b"{}", b'{"password":"' + SECRET + b'"}')
    answered = b'{"jsonrpc":"2.0","id":7,"result":{"text":"' + SECRET + b'"}}'
    hidden = answered.replace(SECRET, PSEUDONYM)
    assert (
        Playbook(request(asked, [(b"x-note", SECRET)]))
        << recorded(
            frame(
                "request",
                body=asked.replace(SECRET, PSEUDONYM),
                body_bytes=len(asked),
                http_headers="x-note: [masked]\ncontent-type: application/json",
            )
        )
        >> True
        << forwarded(body=asked)
        >> Head(200, JSON)
        << ReadBody()
        >> answered
        << recorded(frame("response", body=hidden, body_bytes=len(answered)))
        >> True
        << Answer(200, JSON, hidden)
    )


def test_g7_facts_taken_from_a_body_or_the_user_agent_are_masked_as_their_source_is() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"db://u:' + SECRET + b'@h"}}'
    play = Playbook(replace(request(body), user_agent=f"agent {SECRET.decode()}"))
    hidden = {"resource": "db://u:[masked]@h", "user_agent": "agent [masked]"}
    play = play << recorded(frame("request", method="resources/read", jsonrpc_id="1", **hidden)) >> True
    assert play << forwarded(body=body) >> Gone() << noted(frame("end", **hidden))


def test_g1_g3_a_request_that_is_not_acknowledged_is_refused_and_never_forwarded() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> False
        << noted(frame("end", outcome="refused", reason_code="audit_unavailable", http_status=503))
        << Told("audit_unavailable")
    )


def test_g4_an_answer_that_is_not_acknowledged_is_withheld() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, JSON)
        << ReadBody()
        >> RESULT
        << recorded(frame("response", outcome="completed"))
        >> False
        << noted(frame("end", outcome="withheld", reason_code="result_withheld", http_status=502))
        << Told("result_withheld")
    )


def test_an_answer_that_cannot_be_masked_is_withheld() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, JSON)
        << ReadBody()
        >> UNMASKABLE
        << noted(frame("end", outcome="withheld", reason_code="masking_failed", http_status=502, body=b""))
        << Told("masking_failed")
    )


@pytest.mark.parametrize("encoding", [b"compress", b"gzip, br"])
def test_an_answer_in_an_encoding_that_nobody_can_look_into_is_withheld(encoding: bytes) -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, [*JSON, (b"content-encoding", encoding)])
        << noted(frame("end", outcome="withheld", reason_code="upstream_encoded", http_status=502))
        << Told("upstream_encoded")
    )


def packed(encoding: bytes, body: bytes) -> bytes:
    """`body` in an encoding, by its usual library."""
    if encoding == b"br":
        return bytes(brotli.compress(body))
    if encoding == b"zstd":
        return bytes(zstd.compress(body))
    return gzip.compress(body) if encoding == b"gzip" else zlib.compress(body)


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_an_encoded_answer_is_read_masked_and_passed_on_plain(encoding: bytes) -> None:
    plain = b'{"jsonrpc":"2.0","id":7,"result":{"token":"%b"}}' % SECRET
    masked = plain.replace(SECRET, PSEUDONYM)
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, [*JSON, (b"content-encoding", encoding)])
        << ReadBody()
        >> packed(encoding, plain)
        << recorded(frame("response", outcome="completed", body=masked, body_bytes=len(plain)))
        >> True
        << Answer(200, JSON, masked)
    )


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_an_encoded_stream_is_read_event_by_event_however_it_is_cut(encoding: bytes) -> None:
    event = b"data: {}\n\n"
    whole = packed(encoding, event)
    play = (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, [*EVENTS, (b"content-encoding", encoding)])
        << ReadReady()
        >> None
        << recorded(frame("response", body=b""))
        >> True
        << OpenStream(200, EVENTS)
    )
    said = b""
    for byte in whole:
        play = play << ReadChunk() >> bytes([byte])
        if isinstance(play.effect, Record):
            said += b"".join(draft.body for draft in play.effect.frames)
            play = play << recorded(frame("response", body=event)) >> True << Send(event)
    assert said == event


def test_abuse_20_a_bomb_of_upstream_is_withheld_long_before_it_is_whole() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, [*JSON, (b"content-encoding", b"gzip")])
        << ReadBody()
        >> bomb
        << noted(frame("end", outcome="withheld", reason_code="response_too_large"))
        << Told("response_too_large")
    )


FAULTS = [
    Broken("upstream_failed", "upstream_unreachable", "refused", sent=False),
    Broken("upstream_failed", "upstream_broke", "it closed the connection"),
    Broken("timed_out", "upstream_timeout", ""),
    Broken("upstream_failed", "gateway_stopping", ""),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.reason_code)
def test_g6_an_upstream_that_gives_no_head_is_told_and_recorded(fault: Broken) -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> fault
        << recorded(frame("end", outcome=fault.outcome, reason_code=fault.reason_code))
        >> True
        << Told(fault.reason_code)
    )


@pytest.mark.parametrize("fault", FAULTS[1:], ids=lambda fault: fault.reason_code)
def test_g6_an_upstream_that_breaks_off_within_a_body_is_told_and_recorded(fault: Broken) -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, JSON)
        << ReadBody()
        >> fault
        << recorded(frame("end", outcome=fault.outcome, reason_code=fault.reason_code))
        >> True
        << Told(fault.reason_code)
    )


def test_g12_a_body_above_the_limit_is_withheld() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> Head(200, JSON)
        << ReadBody()
        >> Broken("withheld", "response_too_large", "over 5 bytes")
        << recorded(frame("end", outcome="withheld", reason_code="response_too_large", http_status=502))
        >> True
        << Told("response_too_large")
    )


def test_g4_a_failure_after_sending_that_is_not_acknowledged_is_told_as_withheld_and_noted_as_told() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> FAULTS[2]
        << recorded(frame("end", outcome="timed_out", http_status=504))
        >> False
        << noted(frame("end", outcome="withheld", reason_code="result_withheld", http_status=502))
        << Told("result_withheld")
    )


def test_a_failure_before_sending_is_told_as_it_is_even_when_not_acknowledged() -> None:
    assert (
        Playbook(request())
        << ASKED
        >> True
        << forwarded()
        >> FAULTS[0]
        << recorded(frame("end", outcome="upstream_failed"))
        >> False
        << Told("upstream_unreachable")
    )


@pytest.mark.parametrize("at_body", [False, True])
def test_g6_a_client_that_leaves_is_recorded_and_told_nothing(at_body: bool) -> None:
    play = Playbook(request()) << ASKED >> True << forwarded()
    if at_body:
        play = play >> Head(200, JSON) << ReadBody()
    assert play >> Gone() << noted(frame("end", outcome="client_gone"))
    assert play.exchange.outcome == "client_gone"
