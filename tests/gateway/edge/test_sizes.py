"""No frame is heavier than Kafka takes, however its texts were chosen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edge.sizes import HEADER_ROOM_BYTES, PATH_CHARS_MAX, TEXT_CHARS_MAX, bounded, parts
from gateway.facts import BLANK
from schemas.frames import SALT_BYTES, FrameHeader, Redaction, seal_frame

WIDE = "\U0001f980"  # four bytes in UTF-8, the most that a character takes
OPEN = {"user_agent", "http_path", "content_type", "mcp_protocol_version", "mcp_session_id", "jsonrpc_id"}
OPEN |= {"method", "tool", "resource", "sse_event_id", "reason"}


def redaction(path: str) -> Redaction:
    return Redaction(path=path, rule="r" * 40, start=0, end=1, pseudonym="[secret:x:0123456789abcdef]")


def header(**facts: object) -> FrameHeader:
    """A whole header with these facts."""
    rest: dict[str, object] = {
        "frame_id": BLANK["session_id"],
        "lane": "gateway/boot/0/0",
        "lane_seq": 1,
        "prev_digest": bytes(32),
        "part": 1,
        "parts": 1,
        "recorded_at": 0,
        "elapsed_us": 0,
        "direction": "request",
        "redactions": [],
        "body_bytes": 0,
    }
    return FrameHeader(**{**BLANK, **rest, **facts})  # type: ignore[typeddict-item]


def test_texts_within_their_bounds_are_as_they_were() -> None:
    fields = {**BLANK, "tool": "x" * TEXT_CHARS_MAX, "http_headers": "h" * 20_000}
    assert bounded(dict(fields)) == fields


def test_a_text_over_its_bound_says_how_much_is_missing() -> None:
    fields = bounded({**BLANK, "jsonrpc_id": "x" * (TEXT_CHARS_MAX + 7)})
    assert fields["jsonrpc_id"] == "x" * TEXT_CHARS_MAX + "…[7 more]"


def test_the_heaviest_frame_stays_within_the_room_that_is_left_for_it() -> None:
    heavy = {name: WIDE * 100_000 for name, value in BLANK.items() if value == "" and name in OPEN}
    latin = {"http_headers": "é" * 1_000_000}
    many = parts(b"", [redaction("/" + WIDE * 5_000)] * 500, 1_000_000)
    for _, redactions in many:
        value, _ = seal_frame(
            header(**bounded({**BLANK, **heavy, **latin}), redactions=redactions), b"", bytes(SALT_BYTES)
        )
        assert len(value) < HEADER_ROOM_BYTES
    assert sum(len(redactions) for _, redactions in many) == 500


@settings(deadline=None)
@given(
    st.binary(max_size=50), st.lists(st.text(max_size=3 * PATH_CHARS_MAX), max_size=20), st.integers(1, 60)
)
def test_parts_put_together_are_the_whole(body: bytes, paths: list[str], size: int) -> None:
    found = [redaction(path) for path in paths]
    pieces = parts(body, found, size)
    assert b"".join(piece for piece, _ in pieces) == body
    assert all(len(piece) <= size for piece, _ in pieces)
    together = [item for _, items in pieces for item in items]
    assert [item["path"][:PATH_CHARS_MAX] for item in together] == [path[:PATH_CHARS_MAX] for path in paths]
