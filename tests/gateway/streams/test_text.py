"""Logs and downloads without I/O: text goes as it comes, and what began in one piece is still known in the next."""

from __future__ import annotations

import pytest

from gateway.effects import CloseStream, CutStream, OpenStream, ReadChunk, Send
from gateway.frames.text import QUIET_SECONDS
from gateway.piecewise import PieceMasker
from gateway.settings import ConnectionKind, Limits
from masking import Masker, placed
from schemas.frames import Redaction
from tests.gateway.playbook import PSEUDONYM, SECRET, Playbook, Told, frame, noted, recorded
from tests.gateway.streams.plays import LOG, PODS, asked, streaming

REQUEST = asked(f"{PODS}/web/log", "follow=true&container=app")
TOKEN = b"ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
MASKER = Masker(b"0123456789abcdef", "secrets")


def opened(limits: Limits | None = None) -> Playbook:
    """A play whose client has the head of the log and no line yet."""
    return (
        streaming(REQUEST, LOG, limits=limits)
        << recorded(frame("response", outcome="pending", body=b"", http_status=200))
        >> True
        << OpenStream(200, LOG)
        << ReadChunk()
    )


def ending(play: Playbook) -> Playbook:
    """The end of a stream of which nothing is left."""
    return play >> b"" << recorded(frame("end", outcome="completed")) >> True << CloseStream()


def test_g2_lines_that_come_together_are_one_frame_and_half_a_line_waits_a_moment() -> None:
    play = opened() >> b"one\ntwo\nthr" << recorded(frame("response", body=b"one\ntwo\n")) >> True
    play = play << Send(b"one\ntwo\n") << ReadChunk(QUIET_SECONDS) >> b"ee\n"
    play = play << recorded(frame("response", body=b"three\n")) >> True << Send(b"three\n") << ReadChunk()
    assert ending(play)


def test_half_a_line_that_nothing_follows_is_seen_soon() -> None:
    play = opened() >> b"Continue? [y/n] " << ReadChunk(QUIET_SECONDS) >> None
    play = play << recorded(frame("response", body=b"Continue? [y/n] ")) >> True
    assert ending(play << Send(b"Continue? [y/n] ") << ReadChunk())


def test_a_last_line_without_its_end_comes_with_the_end_of_the_stream() -> None:
    play = opened() >> b"no end" << ReadChunk(QUIET_SECONDS) >> b""
    play = play << recorded(frame("response", body=b"no end"), frame("end", outcome="completed")) >> True
    assert play << Send(b"no end") << CloseStream()


def test_a_secret_in_a_line_is_masked() -> None:
    play = opened() >> b"a\n" + SECRET + b"\n" << recorded(frame("response", body=b"a\n" + PSEUDONYM + b"\n"))
    assert ending(play >> True << Send(b"a\n" + PSEUDONYM + b"\n") << ReadChunk())


def test_g4_a_log_whose_record_cannot_be_written_says_so_and_is_cut() -> None:
    play = opened() >> b"line\n" << recorded(frame("response", body=b"line\n")) >> False
    play = play << noted(frame("end", outcome="withheld", reason_code="result_withheld"))
    play >> None
    assert isinstance(play.effect, Send)
    assert b"sluicegate: executed, result withheld" in play.effect.data
    play >> None
    assert play << CutStream()


def test_g12_a_line_above_the_limit_ends_the_log() -> None:
    play = opened(Limits(event_bytes_max=50)) >> b"x" * 51
    play = play << noted(frame("end", outcome="withheld", reason_code="response_too_large"))
    play >> None
    play >> None
    assert play << CutStream()


def test_a_download_over_http_is_cut_without_words_that_would_stand_in_the_file() -> None:
    binary = [(b"content-type", b"application/octet-stream")]
    play = streaming(asked("/file"), binary, b"\x00\x01", ConnectionKind.HTTP)
    play = play << recorded(frame("response", body=b"\x00\x01")) >> True << OpenStream(200, binary)
    play = play << Send(b"\x00\x01") << ReadChunk() >> b"\x02\n" << recorded(frame("response")) >> False
    assert play << noted(frame("end", outcome="withheld", reason_code="result_withheld")) << CutStream()


# -- memory over pieces


def mask(body: bytes) -> tuple[bytes, list[Redaction]]:
    """The masker of a connection."""
    masked = MASKER.mask(body)
    return masked.text, placed(masked)


def passed(pieces: list[bytes]) -> tuple[bytes, list[list[Redaction]]]:
    """What passes of these pieces, and what was replaced in each."""
    masker = PieceMasker(mask)
    out = [masker.mask(piece) for piece in pieces]
    return b"".join(body for body, _ in out), [found for _, found in out]


@pytest.mark.parametrize("cut", range(1, 44))
def test_of_a_secret_cut_in_two_the_second_half_does_not_pass(cut: int) -> None:
    line = b"using " + TOKEN + b" now\n"
    text, _ = passed([line[: 6 + cut], line[6 + cut :]])
    rest = TOKEN[cut:]
    assert len(rest) < 3 or rest not in text
    assert text.startswith(b"using ")
    assert text.endswith(b"\n")


def test_the_value_behind_a_name_that_has_passed_is_known() -> None:
    text, found = passed([b"DB_PASSWORD=", b"Tr0ub4dor&3xyz\nnext\n"])
    assert b"Tr0ub4dor" not in text
    assert text.startswith(b"DB_PASSWORD=[masked:")
    assert text.endswith(b"]\nnext\n")
    assert found[1][0]["start"] == 0


def test_g8_what_is_no_secret_passes_byte_for_byte_however_it_was_cut() -> None:
    blob = bytes(range(256)) * 40 + b"key: value\n" + bytes(range(255, -1, -1)) * 40
    for size in (1, 7, 100, 5000):
        pieces = [blob[start : start + size] for start in range(0, len(blob), size)]
        assert passed(pieces)[0] == blob


def test_redactions_stand_where_the_piece_has_them() -> None:
    pieces = [b"no end yet, ", b"then " + TOKEN + b" and " + TOKEN + b"\n"]
    masker = PieceMasker(mask)
    masker.mask(pieces[0])
    body, found = masker.mask(pieces[1])
    assert len(found) == 2
    for each in found:
        assert body[each["start"] : each["end"]] == each["pseudonym"].encode()


def test_text_in_a_wide_encoding_does_not_pass_in_pieces() -> None:
    wide = "password=Tr0ub4dor&3xyz\n".encode("utf-16")
    play = streaming(asked("/file"), LOG, wide, ConnectionKind.HTTP)
    play = play << noted(frame("end", outcome="withheld", reason_code="masking_failed", http_status=502))
    assert play << Told("masking_failed")
