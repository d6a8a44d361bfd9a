"""Rows as plain JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from sinks.rows import frames_of, plain, text_of


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 9, 21, 14, 13, 20, 5, tzinfo=UTC), "2026-09-21T14:13:20.000005Z"),
        (datetime(2026, 9, 21, 14, 13, 20), "2026-09-21T14:13:20.000000Z"),
        (datetime(2026, 9, 21, 16, tzinfo=timezone(timedelta(hours=2))), "2026-09-21T14:00:00.000000Z"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (float("nan"), "nan"),
        (1.5, 1.5),
        (None, None),
        (True, True),
        (2**64 - 1, 2**64 - 1),
        (2**100, str(2**100)),
        (b"text", "text"),
        (b"\xff", "/w=="),
        ([(1, UUID(int=2))], [[1, "00000000-0000-0000-0000-000000000002"]]),
        ({"a": {"b": b"c"}}, {"a": {"b": "c"}}),
    ],
)
def test_a_cell_becomes_what_json_has(value: Any, shown: Any) -> None:
    assert plain(value) == shown
    json.dumps(plain(value), allow_nan=False)


def test_bytes_that_are_no_text_are_base64_and_say_so() -> None:
    assert text_of("žluť".encode()) == ("žluť", False)
    assert text_of(b"\x80\x81") == ("gIE=", True)


def row(frame: int, part: int, body: bytes, **more: Any) -> dict[str, Any]:
    return {
        "frame_id": UUID(int=frame),
        "part": part,
        "parts": 2,
        "http_status": 200,
        "redactions": [],
        "deep_redactions": [],
        "body": body,
        **more,
    }


def test_the_parts_of_a_frame_are_joined_even_within_a_character() -> None:
    whole = "ž".encode()
    secret = {"path": "/a", "rule": "r", "start": 1, "end": 2, "pseudonym": "x"}

    frames = frames_of(
        [row(1, 1, whole[:1]), row(2, 1, b"b")], [row(1, 2, whole[1:], deep_redactions=[secret])]
    )

    assert [(frame["body"], frame["parts_stored"]) for frame in frames] == [("ž", 2), ("b", 1)]
    assert frames[0]["redactions"] == [secret]
    assert frames[0]["status"] == 200
