"""Streams whose events do not come in one piece, with a real broker."""

from __future__ import annotations

import asyncio

import aiohttp

from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Upstream, demo, served
from tests.support.trail import frames_of, read_frames

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pods_log", "arguments": {}}}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
LONG = b'id: 2\ndata: {"jsonrpc":"2.0","id":7,"result":{"text":"' + b"log line " * 300_000 + b'"}}\n\n'


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_an_event_that_comes_in_many_pieces_after_another_is_one_frame_and_passes_whole(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    upstream.answer = HEAD + chunk(b"id: 1\ndata: first\n\n")
    async with (
        served(kafka, demo(upstream), deadline_seconds=10) as gateway,
        aiohttp.ClientSession() as client,
    ):
        response = await client.post(gateway.url(), json=CALL)
        assert await response.content.readuntil(b"\n\n") == b"id: 1\ndata: first\n\n"
        assert upstream.writer is not None
        for start in range(0, len(LONG), 200_000):
            upstream.writer.write(chunk(LONG[start : start + 200_000]))
            await upstream.writer.drain()
        upstream.writer.write(b"0\r\n\r\n")
        assert await asyncio.wait_for(response.read(), 20) == LONG
        newest = max(await read_frames(kafka.bootstrap), key=lambda row: row.frame["recorded_at"]).frame
        _, *events, ended = await frames_of(kafka.bootstrap, str(newest["exchange_id"]), until=4)
    assert [event["sse_event_id"] for event in events] == ["1", "2"]
    assert events[1]["body"] == LONG
    assert ended["outcome"] == "completed"


async def test_a_stream_with_a_length_passes_although_masking_changes_its_length(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    event = b'data: {"text":"token ghp_abcdefghijklmnopqrstuvwxyz0123456789"}\n\n'
    upstream.answer = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%b"
        % (len(event), event)
    )
    async with served(kafka, demo(upstream)) as gateway, aiohttp.ClientSession() as client:
        response = await client.post(gateway.url(), json=CALL)
        got = await response.read()
    assert got.startswith(b'data: {"text":"token [')
    assert len(got) != len(event)
    assert b"ghp_" not in got
