"""Streams: a secret cut at any byte, over any lines, in any encoding on the way (ABUSE 67 to 72)."""

import asyncio
import gzip
import json
import statistics
import time
import zlib
from importlib import import_module

import pytest

import masking
from masking import DecodingMasker, Framing, LimitCrossed, StreamMasker, Unreadable
from tests.masking.kinds import KINDS, made, pem

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
SECRET = made("stream")
EVENT = b"event: message\nid: 7\ndata: " + json.dumps({"text": KINDS["dotenv"](SECRET)}).encode() + b"\n\n"
WATCH = KINDS["Kubernetes Secret (JSON)"](SECRET).encode() + b"\n"


def through(stream: StreamMasker | DecodingMasker, pieces: list[bytes]) -> bytes:
    return b"".join([stream.feed(piece) for piece in pieces] + [stream.close()])


@pytest.mark.parametrize(
    ("framing", "body"), [(Framing.SSE, EVENT), (Framing.LINES, WATCH), (Framing.WHOLE, WATCH)]
)
def test_67_a_secret_cut_at_every_byte_is_masked_the_same(framing: Framing, body: bytes) -> None:
    expected = through(StreamMasker(MASKER, framing), [body * 2])
    assert SECRET.encode() not in expected
    assert b"[masked:" in expected
    for cut in range(1, len(body) * 2):
        both = body * 2
        assert through(StreamMasker(MASKER, framing), [both[:cut], both[cut:]]) == expected


def test_a_whole_event_passes_at_once_and_the_next_one_is_held_back() -> None:
    stream = StreamMasker(MASKER, Framing.SSE)
    assert stream.feed(EVENT + EVENT[:20]).endswith(b"\n\n")
    assert stream.held == 20


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_68_a_secret_over_several_data_lines_is_masked(ending: bytes) -> None:
    lines = pem(SECRET).encode().splitlines()
    event = b"".join(b"data: " + line + ending for line in lines) + ending
    masked = through(StreamMasker(MASKER, Framing.SSE), [event])
    body = b"".join(lines[1:-1])
    assert not any(body[i : i + 20] in masked for i in range(0, len(body) - 20, 10))
    assert masked.endswith(ending + ending)


def test_redactions_of_a_stream_count_from_its_beginning() -> None:
    stream = StreamMasker(MASKER, Framing.LINES)
    through(stream, [WATCH, WATCH])
    one, two = stream.redactions
    both = WATCH + WATCH
    assert both[one.start : one.end] == both[two.start : two.end]
    assert two.start - one.start == len(WATCH)


def test_a_private_key_over_the_lines_of_a_log_is_one_text() -> None:
    log = b"one line\n" + pem(SECRET).encode() + b"another\n"
    expected = through(StreamMasker(MASKER, Framing.LINES), [log])
    body = pem(SECRET).encode().splitlines()[2]
    assert body not in expected
    for cut in range(1, len(log)):
        assert body not in through(StreamMasker(MASKER, Framing.LINES), [log[:cut], log[cut:]])


COMPRESSORS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda raw: import_module("brotli").compress(raw),
    "zstd": lambda raw: import_module("backports.zstd").compress(raw),
}
PACKAGES = {"br": "brotli", "zstd": "backports.zstd"}


@pytest.mark.parametrize("encoding", COMPRESSORS)
def test_a_compressed_stream_is_decoded_and_masked(encoding: str) -> None:
    if encoding in PACKAGES:
        pytest.importorskip(PACKAGES[encoding])
    packed = COMPRESSORS[encoding](EVENT * 5)
    stream = DecodingMasker(StreamMasker(MASKER, Framing.SSE), encoding)
    masked = through(stream, [packed[i : i + 1] for i in range(len(packed))])
    assert masked == through(StreamMasker(MASKER, Framing.SSE), [EVENT * 5])


def test_a_compressed_bomb_is_refused() -> None:
    bomb = gzip.compress(bytes(30_000_000))
    stream = DecodingMasker(StreamMasker(MASKER, hold_max=100_000_000), "gzip")
    with pytest.raises(LimitCrossed, match="inflates"):
        stream.feed(bomb)


def test_an_encoding_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Unreadable, match="compress"):
        DecodingMasker(StreamMasker(MASKER), "compress")


def test_damaged_compression_is_refused_without_its_content() -> None:
    stream = DecodingMasker(StreamMasker(MASKER), "gzip")
    with pytest.raises(Unreadable):
        stream.feed(b"\x1f\x8b" + b"password" * 10)


def test_a_stream_without_a_place_to_cut_is_bounded() -> None:
    stream = StreamMasker(MASKER, Framing.SSE, hold_max=1000)
    with pytest.raises(LimitCrossed, match="place to cut"):
        stream.feed(b"x" * 1001)


async def test_a_large_body_masked_in_a_thread_leaves_the_event_loop_free() -> None:
    line = f"2026-11-01 INFO password={made('large')} was read\n"
    body = json.dumps(
        {"content": [{"type": "text", "text": line * 2_000 + "a quiet line\n" * 600_000}]}
    ).encode()
    waits: list[float] = []
    masked = asyncio.create_task(asyncio.to_thread(MASKER.mask, body))
    while not masked.done():
        begin = time.perf_counter()
        await asyncio.sleep(0.001)
        waits.append(time.perf_counter() - begin)
    assert len(masked.result().redactions) == 2_000
    assert statistics.quantiles(waits, n=20)[-1] < 0.05
    assert max(waits) < 0.5
