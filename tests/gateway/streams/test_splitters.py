"""Where streams are cut, without I/O: every cut of the bytes gives the same bytes again."""

from __future__ import annotations

import random

import pytest

from gateway.frames.forms import Form, splitter_of
from gateway.frames.lines import LineSplitter
from gateway.frames.sse import EventTooLongError
from gateway.frames.text import KEY_BYTES_MAX, QUIET_SECONDS, TextSplitter

KEY = (
    b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n"
    + b"MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgwMbRvI0MBZhpI\n" * 12
    + b"Ab9+/w==\n-----END RSA PRIVATE KEY-----\n"
)
LOG = b"2026-11-21T13:00:00Z starting\n\nready \xe2\x82\xac 1\n" + KEY + b"done\nno end"


def fed(form: Form, pieces: list[bytes], bytes_max: int = 1_000_000) -> list[bytes]:
    """What comes out of a splitter, the rest at last."""
    splitter = splitter_of(form, bytes_max)
    frames = [frame for piece in pieces for frame in splitter.feed(piece)]
    return [*frames, splitter.rest()]


@pytest.mark.parametrize("form", [Form.LINES, Form.TEXT, Form.PIECES, Form.EVENTS])
def test_g8_no_byte_is_lost_or_changed_however_the_stream_was_cut(form: Form) -> None:
    chance = random.Random(7)
    for _ in range(200):
        cuts = sorted(chance.sample(range(len(LOG)), 12))
        pieces = [LOG[start:end] for start, end in zip([0, *cuts], [*cuts, len(LOG)], strict=True)]
        assert b"".join(fed(form, pieces)) == LOG


def test_each_line_of_json_is_one_frame_also_a_blank_one() -> None:
    assert fed(Form.LINES, [b'{"a":1}\n\n{"b"', b":2}\r\n{"]) == [b'{"a":1}\n', b"\n", b'{"b":2}\r\n', b"{"]


def test_half_a_line_of_json_waits_for_its_end_however_quiet_it_is() -> None:
    splitter = LineSplitter(100)
    assert splitter.feed(b'{"type":') == []
    assert splitter.quiet_seconds is None
    assert splitter.quiet() == b""


@pytest.mark.parametrize("form", [Form.LINES, Form.TEXT])
def test_g12_a_line_that_does_not_end_crosses_the_limit(form: Form) -> None:
    splitter = splitter_of(form, 100)
    splitter.feed(b"x" * 90)
    with pytest.raises(EventTooLongError, match="longer than 100 bytes"):
        splitter.feed(b"x" * 11)


def test_lines_of_text_that_came_together_go_together_and_half_a_line_waits() -> None:
    splitter = TextSplitter(1000)
    assert splitter.feed(b"one\ntwo\nthr") == [b"one\ntwo\n"]
    assert splitter.quiet_seconds == QUIET_SECONDS
    assert splitter.feed(b"ee\n") == [b"three\n"]
    assert splitter.quiet_seconds is None


def test_half_a_line_goes_when_nothing_follows_it_but_no_half_character() -> None:
    splitter = TextSplitter(1000)
    splitter.feed("Password for Zoë: ".encode() + b"\xe2\x82")
    assert splitter.quiet() == "Password for Zoë: ".encode()
    assert splitter.quiet_seconds is None
    assert splitter.feed(b"\xac\n") == ["€\n".encode()]


@pytest.mark.parametrize("prefix", [b"", b"2026-11-21T13:00:00.123456789Z ", b"12:00 stderr F "])
def test_a_private_key_stays_together_until_it_has_ended(prefix: bytes) -> None:
    text = b"".join(prefix + line for line in KEY.splitlines(keepends=True))
    for size in range(80, text.index(b"-----END "), 37):
        splitter = TextSplitter(100_000)
        before, *early = splitter.feed(b"first\n" + text[:size])
        assert (before, early) == (b"first\n", [])
        assert splitter.quiet() == b""
        assert splitter.feed(text[size:] + b"last\n") == [text + b"last\n"]


def test_a_line_that_only_speaks_of_a_private_key_holds_nothing_up_but_itself() -> None:
    splitter = TextSplitter(100_000)
    assert splitter.feed(b"expected -----BEGIN PRIVATE KEY-----\n") == []
    assert splitter.feed(b"INFO: giving up on it\n") == [
        b"expected -----BEGIN PRIVATE KEY-----\nINFO: giving up on it\n"
    ]
    assert splitter.feed(b"expected -----BEGIN PRIVATE KEY----- in it\n") != []


def test_what_claims_to_be_a_key_and_does_not_end_holds_up_no_more_than_its_limit() -> None:
    splitter = TextSplitter(1_000_000)
    splitter.feed(b"-----BEGIN PRIVATE KEY-----\n")
    line = b"A" * 64 + b"\n"
    out: list[bytes] = []
    for _ in range(KEY_BYTES_MAX // len(line) + 2):
        out += splitter.feed(line)
    assert b"".join(out).startswith(b"-----BEGIN PRIVATE KEY-----\nAAA")


def test_bytes_without_lines_are_cut_between_words_so_that_none_is_halved() -> None:
    splitter = TextSplitter(1000, lined=False)
    assert splitter.feed(b"\x00\x01 key=AKIA") == [b"\x00\x01 "]
    assert splitter.feed(b"ABCD\x02") == [b"key=AKIAABCD\x02"]
    assert splitter.feed(b"x" * 10_000) == [b"x" * 10_000]
