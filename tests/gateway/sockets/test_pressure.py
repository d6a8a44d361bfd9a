"""Who does not read, or sends more than anybody can take: bounded, and the other direction goes on."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import aiohttp
from aiohttp import web

from gateway.edge.guard import Door, DoorLimits
from gateway.edge.sockets.conduit import TAKEN_BYTES_MAX
from gateway.edge.sockets.wire import WAITING_BYTES_MAX, Wire
from schemas.kafka import KafkaAddress
from tests.abuse.raw import connected
from tests.gateway.conftest import Served
from tests.gateway.sockets.conftest import STDIN, STDOUT, V5, Cluster, trail_of, url
from tests.gateway.sockets.test_handshakes import handshake, switched

PIECE = b"x" * 32_000
EMPTY_FIRST = b"\x02\x80\0\0\0\0"  # a binary message begins, and the next piece of it
EMPTY_MORE = b"\x00\x80\0\0\0\0"
HELD_MAX = 32 * 1024 * 1024  # what the kernel may hold for the four ends of two connections


@asynccontextmanager
async def hardly_reading(gate: Served) -> AsyncIterator[None]:
    """A client that reads nothing behind its handshake, and whose kernel holds little for it."""
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, ("127.0.0.1", gate.port))
        await loop.sock_sendall(plain, handshake())
        assert await loop.sock_recv(plain, 12) == b"HTTP/1.1 101"
        yield


async def test_a_client_that_does_not_read_stops_upstream_and_not_the_gateway(
    gate: Served, cluster: Cluster
) -> None:
    sent = 0
    stuck = asyncio.Event()

    async def flood(stream: web.WebSocketResponse) -> None:
        nonlocal sent
        while True:
            try:
                async with asyncio.timeout(1.5):
                    await stream.send_bytes(STDOUT + PIECE)
            except TimeoutError:
                stuck.set()
                return
            sent += len(PIECE)

    cluster.script = flood
    async with hardly_reading(gate):
        await asyncio.wait_for(stuck.wait(), 20)
    assert sent < HELD_MAX + WAITING_BYTES_MAX + TAKEN_BYTES_MAX


async def test_a_client_that_hardly_reads_is_broken_off_in_time(
    gate: Served, cluster: Cluster, kafka: KafkaAddress
) -> None:
    door: Door = gate.gateway.door
    door.limits = replace(DoorLimits(), read_seconds=0.5)

    async def flood(stream: web.WebSocketResponse) -> None:
        with suppress(ConnectionError):
            while not stream.closed:
                await stream.send_bytes(STDOUT + PIECE)

    cluster.script = flood
    async with hardly_reading(gate):
        await asyncio.wait_for(cluster.over.wait(), 20)
    assert (await trail_of(kafka.bootstrap))[-1]["outcome"] == "client_gone"


async def test_upstream_that_must_write_before_it_reads_is_not_kept_from_writing(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster
) -> None:
    """`cat` with a small buffer: it takes the next input only once its output is gone."""
    amount = 200
    cluster.script = _copy
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        writing = asyncio.create_task(_send(socket, amount))
        got = 0
        while got < amount * len(PIECE):
            async with asyncio.timeout(20):
                got += len((await socket.receive_bytes())[1:])
        await writing
    assert got == amount * len(PIECE)


async def test_upstream_that_does_not_read_stops_the_client_and_still_speaks(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster
) -> None:
    speak = asyncio.Event()

    async def deaf(stream: web.WebSocketResponse) -> None:
        await speak.wait()
        await stream.send_bytes(STDOUT + b"still here\n")
        await asyncio.Event().wait()

    cluster.script = deaf
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        sent = 0
        try:
            while True:
                async with asyncio.timeout(1.5):
                    await socket.send_bytes(STDIN + PIECE)
                sent += len(PIECE)
        except TimeoutError:
            speak.set()
        async with asyncio.timeout(30):
            assert await socket.receive_bytes() == STDOUT + b"still here\n"
    assert sent < HELD_MAX + WAITING_BYTES_MAX + TAKEN_BYTES_MAX


async def test_pings_are_answered_by_the_gateway_and_not_recorded(
    gate: Served, client: aiohttp.ClientSession, kafka: KafkaAddress
) -> None:
    async with client.ws_connect(url(gate), protocols=(V5,), autoping=False) as socket:
        await socket.receive_bytes()
        await socket.ping(b"kubectl")
        pong = await asyncio.wait_for(socket.receive(), 5)
        assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"kubectl")
    frames = await trail_of(kafka.bootstrap)
    assert b"kubectl" not in [frame["body"] for frame in frames]


async def test_a_socket_counts_at_the_door_until_it_is_closed(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster
) -> None:
    door = gate.gateway.door
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        await socket.receive_bytes()
        assert door.inside == 1
    async with asyncio.timeout(30):
        while door.inside:
            await asyncio.sleep(0.01)


async def test_a_message_in_pieces_is_one_message(gate: Served, cluster: Cluster) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake())
        await switched(socket)
        assert await socket.reader.readexactly(3) == b"\x82\x01" + STDOUT
        zero = b"\x00" * 4  # a mask that changes nothing
        await socket.send(b"\x02\x83" + zero + STDIN + b"he")
        await socket.send(b"\x89\x80" + zero)  # a ping may come between
        await socket.send(b"\x80\x84" + zero + b"llo\n")
        assert await socket.reader.readexactly(2) == b"\x8a\x00"
        async with asyncio.timeout(30):
            assert await socket.reader.readexactly(9) == b"\x82\x07" + STDOUT + b"hello\n"


async def test_frames_that_are_none_end_the_socket(
    gate: Served, cluster: Cluster, kafka: KafkaAddress
) -> None:
    for wrong in (
        b"\x82\x01a",
        b"\xc2\x81aaaaa",
        b"\x83\x80aaaa",
        b"\x80\x81aaaaa",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        async with connected(gate) as socket:
            await socket.send(handshake())
            await switched(socket)
            assert await socket.reader.readexactly(3) == b"\x82\x01" + STDOUT
            await socket.send(wrong)
            async with asyncio.timeout(30):
                assert await socket.reader.readexactly(4) == b"\x88\x02\x03\xea"  # close, 1002
        end = (await trail_of(kafka.bootstrap))[-1]
        assert (end["outcome"], end["reason_code"]) == ("client_gone", "socket_broke")
        assert "GET /" not in end["reason"]


async def _copy(stream: web.WebSocketResponse) -> None:
    async for message in stream:
        await stream.send_bytes(STDOUT + message.data[1:])


async def _send(socket: aiohttp.ClientWebSocketResponse, amount: int) -> None:
    for _ in range(amount):
        await socket.send_bytes(STDIN + PIECE)


async def test_a_message_of_nothing_but_empty_pieces_takes_no_memory() -> None:
    """Their number has no limit: each is six bytes, and none of them counts towards the size of the message."""
    ours, theirs = socket.socketpair()
    with theirs:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        wire = Wire(transport, server=True, message_bytes_max=1024)
        wire.data_received(EMPTY_FIRST)
        tracemalloc.start()
        for _ in range(100):
            wire.data_received(EMPTY_MORE * 1_000)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        wire.close(1000)
        transport.abort()
    assert kept < 100_000
    assert not wire.waiting
