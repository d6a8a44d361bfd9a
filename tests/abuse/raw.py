"""A client on a raw socket, and what a test asks of the gateway after each abuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from schemas.frames import FrameRecorded
from tests.gateway.conftest import Served, Upstream
from tests.support.trail import read_frames

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
HOST = b"Host: 127.0.0.1\r\n"


def post(*headers: bytes, body: bytes = PING, target: bytes = b"/mcp/demo", length: bool = True) -> bytes:
    """A whole POST with `headers` beside Host (and Content-Length)."""
    lines = [b"POST %b HTTP/1.1" % target, b"Host: 127.0.0.1", *headers]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def reason_code(self) -> str:
        """The reason code in the JSON-RPC error."""
        return str(msgspec.json.decode(self.body)["error"]["data"]["reason"])

    @property
    def exchange_id(self) -> str:
        """Which exchange in the trail it is."""
        return str(msgspec.json.decode(self.body)["error"]["data"]["exchange_id"])


@dataclass
class Socket:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    early: list[int] = field(default_factory=list)  # informational answers

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> Answer:
        """The next final answer."""
        async with asyncio.timeout(20):
            while True:
                head = await self.reader.readuntil(b"\r\n\r\n")
                first, *lines = head[:-4].split(b"\r\n")
                status = int(first.split(b" ")[1])
                if status >= 200:
                    break
                self.early.append(status)
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)
            }
            body = await self.reader.readexactly(int(headers.get(b"content-length", b"0")))
            return Answer(status, headers, body)

    async def ended(self) -> bytes:
        """What still comes before the gateway closes the connection."""
        async with asyncio.timeout(20):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def connected(gate: Served) -> AsyncIterator[Socket]:
    """A connection to the gateway."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    try:
        yield Socket(reader, writer)
    finally:
        writer.transport.abort()


@dataclass(frozen=True)
class Told:
    """How a refusal was told to the client; the trail must say the same."""

    exchange_id: str
    status: int
    reason_code: str


@dataclass
class Bench:
    """A gateway, its upstream, and the way to its trail."""

    gate: Served
    upstream: Upstream
    bootstrap: str
    told: list[Told] = field(default_factory=list)

    async def refused(self, data: bytes, status: int, reason_code: str) -> FrameRecorded:
        """As `refused_soon`, and it gives back the frame."""
        told = await self.refused_soon(data, status, reason_code)
        await self.all_recorded()
        return await self.recorded(told.exchange_id)

    async def refused_soon(self, data: bytes, status: int, reason_code: str) -> Told:
        """Sends `data` on a connection of its own: it must be refused so, nothing reaching upstream, the connection
        closed, and the gateway still serving. `all_recorded` looks for the records of several at once."""
        before = self.upstream.requests
        async with connected(self.gate) as client:
            await client.send(data)
            answer = await client.answer()
            assert (answer.status, answer.reason_code) == (status, reason_code), (data[:80], answer.body)
            assert answer.headers[b"connection"] == b"close"
            assert await client.ended() == b""
        assert self.upstream.requests == before
        await self.alive()
        self.told.append(Told(answer.exchange_id, status, reason_code))
        return self.told[-1]

    async def all_recorded(self) -> None:
        """Every refusal so far is in the trail, once, and as it was told."""
        frames = {str(row.frame["exchange_id"]): row.frame for row in await read_frames(self.bootstrap)}
        for told in self.told:
            frame = frames[told.exchange_id]
            said = (frame["outcome"], frame["reason_code"], frame["http_status"])
            assert said == ("refused", told.reason_code, told.status)
            assert frame["peer"].startswith("127.0.0.1:")

    async def recorded(self, exchange_id: str) -> FrameRecorded:
        """The one frame of a refused exchange."""
        frames = [r.frame for r in await read_frames(self.bootstrap)]
        (frame,) = [frame for frame in frames if str(frame["exchange_id"]) == exchange_id]
        return frame

    async def alive(self) -> None:
        """An honest request is served."""
        async with connected(self.gate) as client:
            await client.send(post())
            assert (await client.answer()).status == 200
