"""A watch without I/O: one event, one frame."""

from __future__ import annotations

import json

import pytest

from gateway.effects import Broken, CloseStream, CutStream, OpenStream, ReadChunk, Send
from gateway.settings import Limits
from tests.gateway.playbook import PSEUDONYM, SECRET, UNMASKABLE, Playbook, frame, noted, recorded
from tests.gateway.streams.plays import PODS, WATCH, asked, streaming

ADDED = b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"web"}}}\n'
GONE = b'{"type":"DELETED","object":{"kind":"Pod","metadata":{"name":"web"}}}\n'
REQUEST = asked(PODS, "watch=true")


def opened(limits: Limits | None = None) -> Playbook:
    """A play whose client has the head of the watch and no event yet."""
    return (
        streaming(REQUEST, WATCH, limits=limits)
        << recorded(frame("response", outcome="pending", body=b"", http_status=200))
        >> True
        << OpenStream(200, WATCH)
        << ReadChunk()
    )


def error_in(effect: object) -> dict[str, object]:
    """The Status of the ERROR event that is sent."""
    assert isinstance(effect, Send)
    assert effect.data.endswith(b"\n")
    event = json.loads(effect.data)
    assert event["type"] == "ERROR"
    status: dict[str, object] = event["object"]
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    return status


def test_g2_the_events_that_come_together_are_recorded_one_by_one_and_released_together() -> None:
    assert (
        opened()
        >> ADDED + GONE + ADDED[:20]
        << recorded(frame("response", body=ADDED, jsonrpc_type="none"), frame("response", body=GONE))
        >> True
        << Send(ADDED + GONE)
        << ReadChunk()
        >> ADDED[20:]
        << recorded(frame("response", body=ADDED))
        >> True
        << Send(ADDED)
        << ReadChunk()
        >> b""
        << recorded(frame("end", outcome="completed"))
        >> True
        << CloseStream()
    )


def test_each_event_is_masked_by_itself() -> None:
    secret = ADDED.replace(b"web", SECRET)
    play = opened() >> ADDED + secret
    masked = secret.replace(SECRET, PSEUDONYM)
    play = play << recorded(frame("response", redactions=[]), frame("response", body=masked)) >> True
    assert (
        play << Send(ADDED + masked) << ReadChunk() >> b"" << recorded(frame("end")) >> True << CloseStream()
    )


@pytest.mark.parametrize(
    ("target", "query"),
    [
        (PODS, "watch=1&resourceVersion=7"),
        (PODS, "fieldSelector=metadata.name%3Dweb&watch=true"),
        ("/api/v1/watch/namespaces/prod/pods", ""),
        ("/apis/apps/v1/deployments", "allowWatchBookmarks=true&watch=true"),
    ],
)
def test_every_form_of_a_watch_is_one(target: str, query: str) -> None:
    play = streaming(asked(target, query), WATCH, ADDED)
    assert (
        play
        << recorded(frame("response", body=ADDED))
        >> True
        << OpenStream(200, WATCH)
        << Send(ADDED)
        << ReadChunk()
        >> b""
        << recorded(frame("end"))
        >> True
        << CloseStream()
    )


def test_g4_an_event_that_is_not_acknowledged_ends_the_watch_with_a_status_that_says_so() -> None:
    play = opened() >> ADDED << recorded(frame("response", body=ADDED)) >> False
    play = play << noted(frame("end", outcome="withheld", reason_code="result_withheld", http_status=200))
    play >> None
    status = error_in(play.effect)
    assert (status["code"], status["reason"]) == (502, "InternalError")
    assert "its record could not be written" in str(status["message"])
    play >> None
    assert play << CutStream()


@pytest.mark.parametrize(
    ("event", "reason_code"),
    [
        (ADDED.replace(b"{", b"{" + UNMASKABLE + b":1,", 1), "masking_failed"),
        (b'"' + b"x" * 600, "response_too_large"),
    ],
)
def test_an_event_that_can_never_pass_makes_the_client_list_anew(event: bytes, reason_code: str) -> None:
    play = opened(Limits(event_bytes_max=500)) >> event
    play = play << noted(frame("end", outcome="withheld", reason_code=reason_code))
    play >> None
    status = error_in(play.effect)
    assert (status["code"], status["reason"]) == (410, "Expired")
    play >> None
    assert play << CutStream()


def test_a_watch_whose_callers_token_has_ended_says_unauthorized() -> None:
    play = opened() >> Broken("withheld", "token_expired", "")
    play = play << noted(frame("end", outcome="withheld", reason_code="token_expired"))
    play >> None
    assert error_in(play.effect)["code"] == 401
    play >> None
    assert play << CutStream()


def test_g6_a_watch_that_upstream_breaks_off_is_cut_so_that_its_client_watches_on() -> None:
    play = opened() >> Broken("upstream_failed", "upstream_broke", "gone")
    assert play << noted(frame("end", outcome="upstream_failed", http_status=200)) << CutStream()
