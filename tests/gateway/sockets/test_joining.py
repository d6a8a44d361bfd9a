"""The handshake with upstream: what is taken for one, and what comes behind it is not lost."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.sockets.joining import Joining
from gateway.edge.sockets.wire import WAITING_BYTES_MAX
from gateway.edge.upstream import HttpUpstream
from gateway.effects import Forward
from gateway.settings import Connection, Timeouts, UpstreamTls
from tests.support.certificates import Authority, server_context

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ASKED = Forward("", "GET", "command=ls", [(b"user-agent", b"tests")], b"", "/api/v1/x/exec")
GOOD = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Protocol: v5.channel.k8s.io")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def switching(head: bytes, *headers: bytes, accept: bytes = b"") -> bytes:
    """The answer that takes the handshake `head`."""
    lines = [line.split(b": ", 1) for line in head.split(b"\r\n") if b": " in line]
    key = {name.lower(): value for name, value in lines}[b"sec-websocket-key"]
    accept = accept or base64.b64encode(hashlib.sha1(key + GUID).digest())
    return b"\r\n".join(
        [b"HTTP/1.1 101 Switching Protocols", b"Sec-WebSocket-Accept: " + accept, *headers, b"", b""]
    )


@asynccontextmanager
async def upstream(
    serve: Serve, server: ssl.SSLContext | None = None, tls: UpstreamTls | None = None
) -> AsyncIterator[HttpUpstream]:
    """A way to a server that does that."""
    open_ones: list[asyncio.StreamWriter] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)
        await serve(reader, writer)

    listening = await asyncio.start_server(served, "127.0.0.1", 0, ssl=server)
    port = listening.sockets[0].getsockname()[1]
    scheme = "https" if server else "http"
    timeouts = Timeouts(connect_seconds=10)
    yield HttpUpstream(
        Connection("kube", upstream=f"{scheme}://127.0.0.1:{port}", timeouts=timeouts, tls=tls)
    )
    listening.close()
    for writer in open_ones:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def joined(way: HttpUpstream) -> Joining:
    """A handshake that upstream has answered."""
    joining = await way.join(ASKED, ("v5.channel.k8s.io", "v4.channel.k8s.io"), 1_000_000)
    async with asyncio.timeout(20):
        await joining.head()
    return joining


async def test_the_handshake_is_the_one_that_rfc_6455_asks_for() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(switching(seen[0], *GOOD) + b"\x82\x01\x01")

    async with upstream(serve) as way:
        joining = await joined(way)
        assert joining.wire is not None
        assert joining.subprotocol == "v5.channel.k8s.io"
        async with asyncio.timeout(30):
            while not joining.wire.waiting:
                await asyncio.sleep(0)
        assert [each.data for each in joining.wire.take(9, 9)] == [b"\x01"]  # it came with the head
        joining.wire.close(1000)
        way.done(joining)
    lines = seen[0].split(b"\r\n")
    assert lines[0] == b"GET /api/v1/x/exec?command=ls HTTP/1.1"
    assert b"upgrade: websocket" in lines
    assert b"connection: Upgrade" in lines
    assert b"sec-websocket-version: 13" in lines
    assert b"sec-websocket-protocol: v5.channel.k8s.io, v4.channel.k8s.io" in lines


@pytest.mark.parametrize(
    ("headers", "accept"),
    [
        (GOOD, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        (GOOD[1:], b""),
        (GOOD[:1], b""),
        ((*GOOD, b"Sec-WebSocket-Extensions: permessage-deflate"), b""),
        ((*GOOD[:2], b"Sec-WebSocket-Protocol: v1.channel.k8s.io"), b""),
        ((*GOOD, b"Sec-WebSocket-Protocol: v4.channel.k8s.io"), b""),
        ((b"Upgrade: h2c", *GOOD[1:]), b""),
        ((*GOOD, b"Folded: a\r\n b"), b""),
    ],
)
async def test_an_answer_that_takes_no_handshake_of_ours_is_no_websocket(
    headers: tuple[bytes, ...], accept: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(switching(await reader.readuntil(b"\r\n\r\n"), *headers, accept=accept))

    async with upstream(serve) as way:
        joining = await way.join(ASKED, ("v5.channel.k8s.io", "v4.channel.k8s.io"), 1000)
        with pytest.raises(UpstreamBrokenError) as broken:
            async with asyncio.timeout(20):
                await joining.head()
        way.done(joining)
    assert getattr(broken.value.fact, "reason_code", "") == "upstream_broke"


async def test_sockets_do_not_take_the_places_of_requests() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"upgrade: websocket" in head:
            writer.write(switching(head, *GOOD))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async with upstream(serve) as way:
        way._places = asyncio.Semaphore(1)
        way._sockets = asyncio.Semaphore(1)
        joining = await joined(way)
        answering = await way.ask(ASKED)
        async with asyncio.timeout(30):
            assert (await answering.head()).status == 200
            assert await answering.body(10) == b"{}"
        way.done(answering)
        assert joining.wire is not None
        joining.wire.close(1000)
        way.done(joining)
        await way.close()


def _as_go_does(listening: socket.socket, context: ssl.SSLContext, said: bytes) -> None:
    """Takes a handshake, says all that, tells that it closes and closes, and waits for nobody."""
    connection, _ = listening.accept()
    with context.wrap_socket(connection, server_side=True) as tls:
        head = b""
        while b"\r\n\r\n" not in head:
            head += tls.recv(65_536)
        tls.sendall(switching(head, *GOOD) + said)
        tls.setblocking(False)
        with suppress(ssl.SSLWantReadError):
            tls.unwrap()


def test_over_tls_nothing_is_lost_when_upstream_closes_while_nobody_reads(tmp_path: Path) -> None:
    """On uvloop, as the gateway runs: its own TLS would drop what has come."""
    authority = Authority(tmp_path)
    context = server_context(authority.issue("127.0.0.1"))
    count = 40
    said = (b"\x82\x7e\x7d\x00" + b"x" * 32_000) * count
    assert len(said) > 4 * WAITING_BYTES_MAX
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"

    async def read_late() -> int:
        serving = asyncio.create_task(asyncio.to_thread(_as_go_does, listening, context, said))
        way = HttpUpstream(Connection("kube", upstream=url, tls=UpstreamTls(ca_file=authority.ca)))
        joining = await joined(way)
        wire, got = joining.wire, 0
        assert wire is not None
        changed = asyncio.Event()
        wire.changed = changed.set
        async with asyncio.timeout(30):
            while wire.over is None or wire.waiting:
                if serving.done() or not wire.full:
                    got += len(wire.take(1, 1))
                changed.clear()
                if not wire.waiting and wire.over is None:
                    await changed.wait()
                await asyncio.sleep(0)
        way.done(joining)
        await serving
        return got

    with listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(read_late()) == count
