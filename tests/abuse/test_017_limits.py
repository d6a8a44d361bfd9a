"""ABUSE 17 to 25: too much, too deep, too slow, too many."""

from __future__ import annotations

import asyncio
import gzip
import sys
import time
import zlib
from pathlib import Path

import brotli
import psutil
import pytest

from gateway.edge.guard import DoorLimits, allow_open_files
from gateway.edge.guard.files import connections_possible
from gateway.settings import Limits
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.abuse.conftest import benched
from tests.abuse.raw import HOST, PING, Bench, connected, post
from tests.gateway.conftest import Upstream
from tests.support.trail import read_frames

SMALL = Limits(body_bytes_max=1_000, response_bytes_max=20_000, event_bytes_max=20_000)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
MEGABYTE = 1024 * 1024


def rss() -> int:
    """Bytes that this process holds; gateway, upstream and client run in it."""
    return int(psutil.Process().memory_info().rss)


def of_size(size: int) -> bytes:
    """A JSON body of exactly `size` bytes."""
    return b'{"a":"%b"}' % (b"x" * (size - 8))


def in_chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join([b"%x\r\n%b\r\n" % (len(part), part) for part in parts]) + b"0\r\n\r\n"


async def ends(bench: Bench, reason_code: str) -> list[FrameRecorded]:
    """The frames of this gateway with that reason code, once there are any; other tests leave such, too."""
    lanes = f"{bench.gate.gateway.recorder._name}/"
    async with asyncio.timeout(30):
        while True:
            rows = [row.frame for row in await read_frames(bench.bootstrap)]
            frames = [frame for frame in rows if frame["lane"].startswith(lanes)]
            if found := [frame for frame in frames if frame["reason_code"] == reason_code]:
                return found


async def test_abuse_17_headers_over_16_kb_or_100_are_refused(bench: Bench) -> None:
    for lines in (
        [b"X-Long: " + b"x" * 16_384],
        [b"X-%d: %b" % (number, b"x" * 1_000) for number in range(20)],
        [b"X-%d: 1" % number for number in range(101)],
        [b"X: 1"] * 101,
    ):
        await bench.refused(post(*lines), 431, "headers_too_large")
    await bench.refused(post(target=b"/mcp/demo?" + b"a" * 8_192), 414, "target_too_long")


async def test_abuse_17_a_head_that_never_ends_is_refused_at_the_limit(bench: Bench) -> None:
    await bench.refused(b"GET /" + b"a" * 9_000, 414, "target_too_long")
    await bench.refused(b"GET / HTTP/1.1\r\nX: " + b"a" * 17_000, 431, "headers_too_large")
    await bench.refused(b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 102, 431, "headers_too_large")


async def test_abuse_17_headers_at_the_limit_pass(bench: Bench) -> None:
    async with connected(bench.gate) as client:
        await client.send(post(b"X-Long: " + b"x" * 16_000, target=b"/mcp/demo?" + b"a" * 8_000))
        assert (await client.answer()).status == 200
        await client.send(post(*[b"X-%d: 1" % number for number in range(98)]))
        assert (await client.answer()).status == 200


async def test_abuse_18_a_body_at_the_limit_passes_and_one_byte_more_is_refused(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    chunked = b"Transfer-Encoding: chunked"
    async with benched(kafka, upstream, SMALL) as bench:
        for size, status in ((1_000, 200), (1_001, 413), (3_000_000, 413)):
            body = of_size(size)
            seen = upstream.requests
            for data in (post(body=body), post(chunked, body=in_chunks(body, 999), length=False)):
                async with connected(bench.gate) as client:
                    client.writer.write(data)
                    answer = await client.answer()
                    assert answer.status == status
                    if status == 413:
                        assert answer.reason_code == "body_too_large"
                        frame = await bench.recorded(answer.exchange_id)
                        assert (frame["outcome"], frame["reason_code"]) == ("refused", "body_too_large")
            assert upstream.requests == seen + (2 if status == 200 else 0)
        await bench.alive()


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(b"\0" * MEGABYTE) for _ in range(size // MEGABYTE)]) + packer.flush()


async def test_abuse_19_encoded_bodies_are_refused_unread_whatever_they_hold(bench: Bench) -> None:
    packed = bomb(1024 * MEGABYTE)
    assert len(packed) < 2 * MEGABYTE
    before = rss()
    for encoding, body in (
        (b"gzip", packed),
        (b"gzip, gzip", gzip.compress(packed)),
        (b"br", brotli.compress(PING)),
        (b"zstd", b"\x28\xb5\x2f\xfd\x04\x00"),
        (b"deflate", zlib.compress(PING)),
        (b"x-unknown", PING),
        (b"identity, gzip", PING),
    ):
        seen = bench.upstream.requests
        async with connected(bench.gate) as client:
            await client.send(post(b"Content-Encoding: " + encoding, body=body))
            answer = await client.answer()
            assert (answer.status, answer.reason_code) == (415, "content_encoding")
        frame = await bench.recorded(answer.exchange_id)
        assert (frame["outcome"], frame["reason_code"]) == ("refused", "content_encoding")
        assert bench.upstream.requests == seen
    assert rss() - before < 100 * MEGABYTE
    await bench.alive()


async def test_abuse_20_an_upstreams_bomb_is_withheld_with_bounded_memory(bench: Bench) -> None:
    packed = bomb(1024 * MEGABYTE)
    before = rss()
    bench.upstream.answer = (
        OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed
    )
    async with connected(bench.gate) as client:
        await client.send(post())
        answer = await client.answer()
        assert (answer.status, answer.reason_code) == (502, "response_too_large")
    assert rss() - before < 100 * MEGABYTE
    (frame,) = await ends(bench, "response_too_large")
    assert frame["outcome"] == "withheld"


@pytest.mark.parametrize("framing", ["length", "chunks", "connection"])
async def test_abuse_20_an_upstreams_answer_without_end_is_cut_at_the_cap_and_recorded(
    kafka: KafkaAddress, upstream: Upstream, framing: str
) -> None:
    body = b'{"a":"' + b"x" * 50_000
    upstream.answer = {
        "length": OK + b"content-length: %d\r\n\r\n" % (1 << 40) + body,
        "chunks": OK + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b" % (1 << 30, body),
        "connection": OK + b"\r\n" + body,
    }[framing]
    async with benched(kafka, upstream, SMALL) as bench, connected(bench.gate) as client:
        await client.send(post())
        answer = await client.answer()
        assert (answer.status, answer.reason_code) == (502, "response_too_large")
        assert "withheld" in {frame["outcome"] for frame in await ends(bench, "response_too_large")}
        await upstream.left.wait()


QUICK = DoorLimits(
    head_seconds=0.3, body_idle_seconds=0.3, body_grace_seconds=0.6, body_bytes_per_second=100_000
)


async def test_abuse_21_a_head_that_comes_too_slowly_is_refused(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    async with benched(kafka, upstream, door=QUICK) as bench:
        for data in (b"P", b"POST /mcp/demo HTTP/1.1\r\n", post()[:-50], b"\r\n"):
            await bench.refused(data, 408, "too_slow")


async def test_abuse_21_a_head_that_trickles_is_refused_all_the_same(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    async with benched(kafka, upstream, door=QUICK) as bench, connected(bench.gate) as client:
        trickle = asyncio.create_task(trickled(client.writer, b"GET / HTTP/1.1\r\nX: ", b"x", 0.02))
        answer = await client.answer()
        assert (answer.status, answer.reason_code) == (408, "too_slow")
        trickle.cancel()


async def trickled(writer: asyncio.StreamWriter, first: bytes, then: bytes, seconds: float) -> None:
    """Sends `first`, then `then` again and again."""
    writer.write(first)
    while True:
        await asyncio.sleep(seconds)
        writer.write(then)


async def test_abuse_21_a_body_that_pauses_or_trickles_is_refused(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    whole = post(body=of_size(50_000))
    async with benched(kafka, upstream, door=QUICK) as bench:
        for piece, seconds in ((b"", 10.0), (b"x", 0.05)):
            async with connected(bench.gate) as client:
                trickle = asyncio.create_task(trickled(client.writer, whole[:200], piece, seconds))
                answer = await client.answer()
                assert (answer.status, answer.reason_code) == (408, "too_slow")
                assert answer.headers[b"connection"] == b"close"
                trickle.cancel()
            frame = await bench.recorded(answer.exchange_id)
            assert (frame["reason_code"], frame["http_path"]) == ("too_slow", "/mcp/demo")
        assert upstream.requests == 0
        await bench.alive()


async def test_a_body_that_comes_steadily_may_take_longer_than_any_pause_may(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    whole = post(body=of_size(200_000))
    async with benched(kafka, upstream, door=QUICK) as bench, connected(bench.gate) as client:
        for start in range(0, len(whole), 20_000):
            await client.send(whole[start : start + 20_000])
            await asyncio.sleep(0.1)
        assert (await client.answer()).status == 200


async def test_a_connection_that_says_nothing_is_closed_without_a_word(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    door = DoorLimits(first_byte_seconds=0.2)
    async with benched(kafka, upstream, door=door) as bench, connected(bench.gate) as client:
        assert await client.ended() == b""


async def test_abuse_22_a_client_that_does_not_read_stops_upstream_and_costs_no_memory(
    kafka: KafkaAddress,
) -> None:
    event = b"data: " + b"x" * (64 * 1024) + b"\n\n"
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(EVENTS)
        try:
            for _ in range(200 * MEGABYTE // len(event)):
                writer.write(event)
                await writer.drain()
                sent += len(event)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    fake = Upstream(port=server.sockets[0].getsockname()[1])
    async with benched(kafka, fake) as bench, connected(bench.gate) as client:
        client.reader._limit = 1  # type: ignore[attr-defined]  # the client's own buffer takes next to nothing
        before = rss()
        await client.send(post())
        stood_at = await stands_still(lambda: sent)
        assert 0 < stood_at < 40 * MEGABYTE
        assert rss() - before < 80 * MEGABYTE
        await bench_lives(bench)
        async with asyncio.timeout(60):
            while sent < stood_at + 2 * MEGABYTE:  # it reads on, and upstream goes on
                await client.reader.read(MEGABYTE)
    server.close()


@pytest.mark.parametrize("trickle", [False, True])
async def test_abuse_22_a_client_that_hardly_reads_its_answer_does_not_keep_it_in_memory_for_ever(
    kafka: KafkaAddress, upstream: Upstream, trickle: bool
) -> None:
    body = b'{"a":"' + b"x" * (20 * MEGABYTE) + b'"}'
    upstream.answer = OK + b"content-length: %d\r\n\r\n" % len(body) + body
    door = DoorLimits(read_seconds=0.5, read_bytes_per_second=1_000_000)
    async with benched(kafka, upstream, door=door) as bench, connected(bench.gate) as client:
        client.reader._limit = 1  # type: ignore[attr-defined]
        await client.send(post())
        async with asyncio.timeout(30):
            await client.reader.readuntil(b"HTTP/1.1 200 OK")
            while bench.gate.gateway.door.inside:
                if trickle:
                    await client.reader.read(1_000)
                await asyncio.sleep(0.01)


async def bench_lives(bench: Bench) -> None:
    """Probes are answered while others wait."""
    async with connected(bench.gate) as client:
        await client.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await client.answer()).status < 500


async def stands_still(count: object) -> int:
    """What a count stands at, once it has not moved for a second."""
    assert callable(count)
    async with asyncio.timeout(60):
        while True:
            value = int(count())
            await asyncio.sleep(1.0)
            if value and value == count():
                return value


async def test_abuse_23_ten_thousand_idle_connections_leave_room_for_new_ones(bench: Bench) -> None:
    allow_open_files()
    wanted = min(10_000, connections_possible(10_000) - 100)
    clients = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("idle_clients.py")),
        str(bench.gate.port),
        str(wanted),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert clients.stdout is not None
    assert clients.stdin is not None
    try:
        async with asyncio.timeout(60):
            assert int(await clients.stdout.readline()) == wanted
            while bench.gate.gateway.door.inside < wanted:
                await asyncio.sleep(0.01)
        for _ in range(10):
            await bench.alive()
        assert bench.gate.gateway.door.inside >= wanted
    finally:
        clients.stdin.close()
        await clients.wait()


async def test_abuse_23_at_the_cap_the_connection_that_idled_longest_makes_room(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    async with (
        benched(kafka, upstream, door=DoorLimits(connections_max=2)) as bench,
        connected(bench.gate) as first,
        connected(bench.gate) as second,
    ):
        for client in (first, second, first):
            await client.send(post())
            assert (await client.answer()).status == 200
        async with connected(bench.gate) as third:
            assert await second.ended() == b""
            for client in (third, first):
                await client.send(post())
                assert (await client.answer()).status == 200


async def test_abuse_23_at_the_cap_a_connection_is_refused_where_all_others_are_busy(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    upstream.may_answer.clear()
    async with (
        benched(kafka, upstream, door=DoorLimits(connections_max=1)) as bench,
        connected(bench.gate) as first,
    ):
        await first.send(post())
        await upstream.asked.wait()
        async with connected(bench.gate) as second:
            answer = await second.answer()
            assert (answer.status, answer.reason_code) == (503, "too_many_connections")
            assert answer.headers[b"retry-after"] == b"1"
            frame = await bench.recorded(answer.exchange_id)
            assert frame["reason_code"] == "too_many_connections"
        upstream.may_answer.set()
        assert (await first.answer()).status == 200


async def test_abuse_24_an_event_without_end_is_cut_at_the_cap_and_recorded(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    upstream.answer = EVENTS + b"data: {}\n\n"
    async with benched(kafka, upstream, SMALL) as bench, connected(bench.gate) as client:
        await client.send(post(b"Accept: text/event-stream"))
        async with asyncio.timeout(30):
            await client.reader.readuntil(b"data: {}\n\n")
        assert upstream.writer is not None
        endless = asyncio.create_task(trickled(upstream.writer, b"data: ", b"x" * 4_000, 0.01))
        assert b"x" * 100 not in await client.ended()
        assert "withheld" in {frame["outcome"] for frame in await ends(bench, "response_too_large")}
        await upstream.left.wait()
        endless.cancel()


async def test_abuse_24_an_event_without_end_at_the_beginning_of_a_stream_is_told_as_too_large(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    upstream.answer = EVENTS + b"data: " + b"x" * 50_000
    async with benched(kafka, upstream, SMALL) as bench, connected(bench.gate) as client:
        await client.send(post(b"Accept: text/event-stream"))
        answer = await client.answer()
        assert (answer.status, answer.reason_code) == (502, "response_too_large")


async def test_abuse_25_json_that_is_100_000_deep_is_refused_fast(bench: Bench) -> None:
    for body in (b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
        async with connected(bench.gate) as client:
            started = time.process_time()
            await client.send(post(body=body))
            answer = await client.answer()
            assert (answer.status, answer.reason_code) == (400, "too_deep")
            assert time.process_time() - started < 1.0  # measured 0.05
        frame = await bench.recorded(answer.exchange_id)
        assert (frame["outcome"], frame["reason_code"]) == ("refused", "too_deep")
    assert bench.upstream.requests == 0
    await bench.alive()
