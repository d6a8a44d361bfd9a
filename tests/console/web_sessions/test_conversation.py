"""The points of a conversation, pure: what is worth a look, how long nobody spoke, what a stream's frames are."""

from __future__ import annotations

from typing import Any

import pytest

from console.web.pages.replay_exchange import label_of, view_of
from console.web.pages.replay_items import WIDTH, items, silence
from console.web.pages.replay_terminal import inert, transcript
from sinks.readers import Exchange, Frame
from tests.exports.test_har import answer, frame


def exchange(at: str, **fields: Any) -> Exchange:
    """One that began at a time of the day."""
    usual: dict[str, Any] = {
        "exchange_id": at,
        "started_at": f"2026-11-21T{at}.000000Z",
        "protocol": "mcp",
        "http_method": "POST",
        "method": "tools/call",
        "tool": "get_pod",
        "resource": "",
        "attributes": {},
        "verdict": "allow",
        "is_error": False,
        "redactions": 0,
        "outcome": "completed",
    }
    known: Any = {**usual, **fields}
    return known  # type: ignore[no-any-return]


def told(body: bytes, **fields: Any) -> Frame:
    """A frame of an answer, with all that a view looks at."""
    usual = {"reason": "", "jsonrpc_error": None, "tool_is_error": None, "reason_code": ""}
    return answer(body, **{**usual, **fields})


def test_points_stand_in_order_along_the_line_and_long_silences_are_short_there() -> None:
    found = items(
        [exchange("10:00:00"), exchange("10:00:10"), exchange("18:00:00"), exchange("18:00:00")], ()
    )
    places = [item.x for item in found]
    assert places == sorted(set(places))
    assert 0 < places[0] < places[-1] < WIDTH
    assert places[2] - places[1] < 4 * (places[1] - places[0])
    assert [item.gap for item in found] == ["", "10 s later", "7 h later", ""]
    assert [item.number for item in items([exchange("10:00:00")], (), 501)] == [501]
    assert items([], ()) == []


def test_what_is_worth_a_look_is_signed() -> None:
    rows = [
        exchange("10:00:00", verdict="deny"),
        exchange("10:00:01", verdict="hold", outcome="pending"),
        exchange("10:00:02", is_error=True, redactions=2),
        exchange("10:00:03"),
    ]
    assert [item.signs for item in items(rows, {"10:00:03"})] == [
        ("denied",),
        ("held", "pending"),
        ("failed", "masked"),
        ("finding",),
    ]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, ""), (9_999, ""), (10_000, "10 s later"), (90_000, "1 min later"), (2 * 86_400_000, "2 d later")],
)
def test_silences_are_told_in_words(milliseconds: int, words: str) -> None:
    assert silence(milliseconds) == words


def test_a_streams_frames_are_named_by_what_they_say() -> None:
    assert (
        label_of(told(b'{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a"}}}')) == "ADDED Pod a"
    )
    assert (
        label_of(told(b'event: message\ndata: {"method":"notifications/progress"}\n\n'))
        == "notifications/progress"
    )
    assert label_of(told(b'{"id":1,"result":{}}')) == "answer"
    assert label_of(told(b"a line of a log")) == ""


def test_a_stream_opens_its_first_frames_and_says_that_there_are_more() -> None:
    frames = [frame(b"", reason=""), *(told(b"line %d\nmore" % number) for number in range(300))]
    for each in frames:
        each.update({"jsonrpc_error": None, "tool_is_error": None, "reason_code": ""})
    view = view_of(frames)
    assert (view.kind, view.more, len(view.answers)) == ("stream", True, 199)
    assert [shown.open for shown in view.answers[:4]] == [True, True, True, False]
    assert view.answers[3].body.layout.text == "line 3"


def test_a_terminals_text_is_inert_and_its_streams_are_told_apart() -> None:
    assert (
        inert("\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b(B\x9b5n\r\nnext\rover")
        == "redlink\nnext\nover"
    )
    frames = [
        told(b"$ l", attributes={"k8s.channel": "stdout"}),
        told("é".encode()[:1], attributes={"k8s.channel": "stdout"}),
        told("é".encode()[1:] + b"\n", attributes={"k8s.channel": "stdout"}),
        told(b"oops", attributes={"k8s.channel": "stderr"}),
    ]
    text = ["".join(piece.text for piece in line) for line in transcript(frames)]
    assert text == ["stdout", "$ lé", "", "stderr", "oops"]
