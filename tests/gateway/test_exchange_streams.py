"""One exchange that is answered by a stream of events, without I/O."""

from __future__ import annotations

import pytest

from gateway.effects import (
    Broken,
    CloseStream,
    CutStream,
    Fact,
    Gone,
    Head,
    OpenStream,
    ReadChunk,
    ReadReady,
    Send,
)
from gateway.settings import Limits
from tests.gateway.playbook import (
    EVENTS,
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

FIRST = b'event: message\r\nid: 1\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\r\n\r\n'
SECOND = b'id: 2\nretry: 10\ndata: {"jsonrpc":"2.0","id":7,"result":{}}\n\n'
COMMENT = b": ping\n\n"


def streaming(ready: Fact, limits: Limits | None = None) -> Playbook:
    """A play that has come to the first bytes of a stream."""
    return (
        Playbook(request(), limits)
        << recorded(frame("request"))
        >> True
        << forwarded()
        >> Head(200, EVENTS)
        << ReadReady()
        >> ready
    )


def opened() -> Playbook:
    """A play whose client has the head and nothing else yet."""
    return (
        streaming(None)
        << recorded(frame("response", outcome="pending", body=b"", http_status=200))
        >> True
        << OpenStream(200, EVENTS)
        << ReadChunk()
    )


def test_g2_the_head_goes_with_the_first_event_when_that_is_there() -> None:
    assert (
        streaming(FIRST)
        << recorded(
            frame(
                "response",
                outcome="pending",
                sse_event_id="1",
                jsonrpc_type="notification",
                method="notifications/progress",
                http_headers="content-type: text/event-stream",
                body=FIRST,
            )
        )
        >> True
        << OpenStream(200, EVENTS)
        << Send(FIRST)
        << ReadChunk()
        >> b""
        << recorded(frame("end", outcome="completed", http_headers=""))
        >> True
        << CloseStream()
    )


def test_the_head_goes_alone_when_the_first_event_is_late() -> None:
    assert (
        opened()
        >> SECOND
        << recorded(frame("response", http_headers="", sse_event_id="2", jsonrpc_id="7", body=SECOND))
        >> True
        << Send(SECOND)
        << ReadChunk()
        >> b""
        << recorded(frame("end", outcome="completed"))
        >> True
        << CloseStream()
    )


def test_events_that_come_together_are_recorded_one_by_one_and_released_together() -> None:
    assert (
        opened()
        >> FIRST + COMMENT + SECOND
        << recorded(
            frame("response", sse_event_id="1", body=FIRST),
            frame("response", sse_event_id="", jsonrpc_type="none", body=COMMENT),
            frame("response", sse_event_id="2", jsonrpc_type="response", body=SECOND),
        )
        >> True
        << Send(FIRST + COMMENT + SECOND)
        << ReadChunk()
        >> b""
        << recorded(frame("end"))
        >> True
        << CloseStream()
    )


def test_half_an_event_waits_for_its_other_half() -> None:
    assert (
        opened()
        >> SECOND[:20]
        << ReadChunk()
        >> SECOND[20:]
        << recorded(frame("response", body=SECOND))
        >> True
        << Send(SECOND)
        << ReadChunk()
        >> b""
        << recorded(frame("end"))
        >> True
        << CloseStream()
    )


def test_what_follows_the_last_blank_line_is_recorded_and_given_at_the_end() -> None:
    assert (
        opened()
        >> b": dangling"
        << ReadChunk()
        >> b""
        << recorded(frame("response", body=b": dangling"), frame("end", outcome="completed"))
        >> True
        << Send(b": dangling")
        << CloseStream()
    )


def test_an_empty_stream_is_an_empty_stream() -> None:
    assert (
        streaming(b"")
        << recorded(frame("end", outcome="completed", http_headers="content-type: text/event-stream"))
        >> True
        << OpenStream(200, EVENTS)
        << CloseStream()
    )


def test_a_streams_length_is_not_promised_because_masking_may_change_it() -> None:
    play = Playbook(request()) << recorded(frame("request")) >> True << forwarded()
    assert (
        play
        >> Head(200, [*EVENTS, (b"content-length", b"24")])
        << ReadReady()
        >> b"data: " + SECRET + b"\n\n"
        << recorded(frame("response", body=b"data: " + PSEUDONYM + b"\n\n"))
        >> True
        << OpenStream(200, EVENTS)
        << Send(b"data: " + PSEUDONYM + b"\n\n")
        << ReadChunk()
        >> b""
        << recorded(frame("end"))
        >> True
        << CloseStream()
    )


def test_g4_an_event_that_is_not_acknowledged_is_withheld_in_the_middle_and_the_client_is_told() -> None:
    play = opened() >> FIRST << recorded(frame("response", body=FIRST)) >> False
    play = play << noted(frame("end", outcome="withheld", reason_code="result_withheld", http_status=200))
    assert play << SendOwn("result_withheld") << CutStream()


def test_g4_a_first_event_that_is_not_acknowledged_is_withheld_under_a_proper_status() -> None:
    assert (
        streaming(FIRST)
        << recorded(frame("response", body=FIRST))
        >> False
        << noted(frame("end", outcome="withheld", reason_code="result_withheld", http_status=502))
        << Told("result_withheld")
    )


@pytest.mark.parametrize(
    "fault",
    [Broken("upstream_failed", "upstream_broke", "gone"), Broken("timed_out", "upstream_timeout", "")],
)
def test_g6_a_stream_that_upstream_breaks_off_is_broken_off_for_the_client_too(fault: Broken) -> None:
    assert (
        opened()
        >> fault
        << noted(frame("end", outcome=fault.outcome, reason_code=fault.reason_code))
        << CutStream()
    )


def test_g6_a_stream_that_breaks_before_its_head_was_given_is_told_with_a_status() -> None:
    assert (
        streaming(Broken("upstream_failed", "upstream_broke", "gone"))
        << recorded(frame("end", outcome="upstream_failed", http_status=502))
        >> True
        << Told("upstream_broke")
    )


@pytest.mark.parametrize("first", [True, False])
def test_g6_a_client_that_leaves_a_stream_is_recorded(first: bool) -> None:
    play = streaming(Gone()) if first else opened() >> Gone()
    assert play << noted(frame("end", outcome="client_gone"))


def test_an_event_that_cannot_be_masked_ends_the_stream_and_is_not_kept() -> None:
    play = opened() >> b"data: " + UNMASKABLE + b"\n\n"
    play = play << noted(frame("end", outcome="withheld", reason_code="masking_failed", body=b""))
    assert play << SendOwn("masking_failed") << CutStream()


def test_g12_an_event_above_the_limit_ends_the_stream_before_it_is_whole() -> None:
    play = streaming(b"data: " + b"x" * 100, Limits(event_bytes_max=50))
    assert (
        play
        << noted(frame("end", outcome="withheld", reason_code="response_too_large", http_status=502))
        << Told("response_too_large")
    )


class SendOwn(Send):
    """A Send of the gateway's own error event for a reason code."""

    def __init__(self, reason_code: str) -> None:
        super().__init__(reason_code.encode())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Send)
            and other.data.startswith(b'event: message\ndata: {"jsonrpc":"2.0","id":7,"error":')
            and b'"reason":"%b"' % self.data in other.data
            and other.data.endswith(b"\n\n")
        )

    __hash__ = None  # type: ignore[assignment]
