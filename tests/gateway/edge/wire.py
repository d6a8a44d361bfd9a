"""A raw HTTP upstream: a test says what it writes and when, and what it has read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.effects import Forward
from gateway.settings import Connection, Timeouts

REQUEST = Forward("session", "POST", "", [(b"x-test", b"1")], b"{}")


@dataclass
class Peer:
    """One connection as the upstream sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """The next whole request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next((int(ln[15:]) for ln in head.split(b"\r\n") if ln.startswith(b"content-length:")), 0)
        return head + await self.reader.readexactly(length)

    async def answer(self, *pieces: bytes) -> None:
        """Writes pieces, each in a segment of its own as far as that can be had."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    async def left(self) -> bool:
        """Whether the gateway closes its side; waits for it."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True


@dataclass
class Wire:
    """A listening upstream; connections come in order."""

    port: int = 0
    peers: asyncio.Queue[Peer] = field(default_factory=asyncio.Queue)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def peer(self) -> Peer:
        """The next connection."""
        async with asyncio.timeout(30):
            return await self.peers.get()

    def connection(self, connections_max: int = 8, timeouts: Timeouts | None = None) -> Connection:
        """Settings of a connection to it."""
        return Connection(
            "demo",
            upstream=f"http://127.0.0.1:{self.port}/mcp?fixed=1",
            timeouts=timeouts or Timeouts(),
            connections_max=connections_max,
        )


@asynccontextmanager
async def listening() -> AsyncIterator[Wire]:
    """A wire for one test."""
    wire = Wire()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.writers.append(writer)
        await wire.peers.put(Peer(reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        for writer in wire.writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()
