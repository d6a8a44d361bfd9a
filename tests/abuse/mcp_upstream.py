"""An MCP upstream for abuses of the protocol: answers each request as a function of its body, and remembers all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import msgspec

from gateway.settings import Connection
from schemas.frames import FrameRecorded
from tests.gateway.conftest import Served
from tests.support.trail import frames_of, read_frames

MODERN = "2026-07-28"
Answered = tuple[int, str, bytes]
"""Status, content type, body."""


@dataclass
class McpUpstream:
    """What it answers, and the bodies and heads that it saw."""

    answer: Callable[[bytes], Awaitable[Answered]]
    bodies: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def connection(self) -> Connection:
        """The way to it, as connection `demo`."""
        return Connection("demo", upstream=f"http://127.0.0.1:{self.port}/mcp")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [
                    line[15:] for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
                ]
                body = await reader.readexactly(int(lengths[0]) if lengths else 0)
                self.heads.append(head)
                self.bodies.append(body)
                status, content_type, said = await self.answer(body)
                lines = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(said)}\r\n\r\n"
                writer.write(lines.encode() + said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def mcp_upstream(answer: Callable[[bytes], Awaitable[Answered]]) -> AsyncIterator[McpUpstream]:
    """Runs it on a free port."""
    upstream = McpUpstream(answer)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()


@dataclass
class Client:
    """Posts whole bodies to the gateway, and looks up what was recorded of them."""

    gate: Served
    bootstrap: str
    http: aiohttp.ClientSession
    connection: str = "demo"

    async def post(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer. Header names with `_` for `-`."""
        named = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(self.gate.url(self.connection), data=body, headers=named) as answer:
            return answer.status, await answer.read()

    async def ask(self, method: str, **headers: str) -> int:
        """Status of a request without a body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, self.gate.url(self.connection), headers=named) as answer:
            await answer.read()
            return answer.status

    async def frames(self, exchange_id: str, until: int) -> list[FrameRecorded]:
        """The frames of an exchange."""
        return await frames_of(self.bootstrap, exchange_id, until=until)

    async def last(self, **facts: object) -> list[FrameRecorded]:
        """The frames with these facts, once there is one."""
        async with asyncio.timeout(30):
            while True:
                rows = [row.frame for row in await read_frames(self.bootstrap)]
                found = [row for row in rows if all(row.get(name) == value for name, value in facts.items())]
                if found:
                    return found


@asynccontextmanager
async def client(gate: Served, bootstrap: str) -> AsyncIterator[Client]:
    """A client of this gateway."""
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield Client(gate, bootstrap, http)


def exchange_of(body: bytes) -> str:
    """The exchange that the gateway's own error names."""
    return str(msgspec.json.decode(body)["error"]["data"]["exchange_id"])


def modern(method: str = "tools/call", version: str = MODERN, **params: object) -> bytes:
    """A request of 2026-07-28."""
    meta = {"_meta": {"io.modelcontextprotocol/protocolVersion": version}}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, **meta}})
