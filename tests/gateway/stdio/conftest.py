"""A stdio upstream over a program that does as it is told, and the words of its clients."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.edge.stdio import StdioUpstream
from gateway.edge.stdio.replies import Reply
from gateway.effects import Forward, Gone, Head
from gateway.settings import Connection, StdioLimits, Timeouts

PUPPET = Path(__file__).with_name("puppet.py")
BOTH = b"application/json, text/event-stream"
MODERN = "2026-07-28"
SECONDS = 45.0


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The gateway runs on uvloop; what depends on the loop's own processes is tried on asyncio's too."""
    loops = {"uvloop": uvloop.new_event_loop}
    if "test_programs" in item.nodeid:
        loops["asyncio"] = asyncio.new_event_loop
    return loops


@dataclass
class Answer:
    """A whole answer: `events` of a stream, or `json` of a body."""

    head: Head
    body: bytes
    json: Any = None
    events: list[dict[str, str]] = field(default_factory=list)

    @property
    def session(self) -> str:
        """The Mcp-Session-Id, '' for none."""
        return dict(self.head.headers).get(b"mcp-session-id", b"").decode()


def events_of(body: bytes) -> list[dict[str, str]]:
    """Fields of each event; comments are left out."""
    blocks = [block for block in body.decode().split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


@dataclass
class Client:
    """Speaks to an upstream as an exchange does. `us` is our session id, `session` the protocol's."""

    upstream: StdioUpstream
    heard_file: Path
    us: str = "us"
    session: str = ""
    version: str = ""

    async def ask(self, method: str, body: bytes = b"", headers: dict[bytes, bytes] | None = None) -> Reply:
        """One HTTP request; the reply is to be read."""
        sent = {b"accept": BOTH, b"content-type": b"application/json"}
        if self.version:
            sent[b"mcp-protocol-version"] = self.version.encode()
        if self.session:
            sent[b"mcp-session-id"] = self.session.encode()
        async with asyncio.timeout(SECONDS):
            return await self.upstream.ask(
                Forward(self.us, method, "", list((sent | (headers or {})).items()), body)
            )

    async def post(self, message: Any, headers: dict[bytes, bytes] | None = None) -> Reply:
        """A POST of a JSON value, or of bytes."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return await self.ask("POST", body, headers)

    async def request(self, id_: Any, *do: tuple[str, Any], method: str = "x", **params: Any) -> Reply:
        """A POST of a request that makes the puppet do things."""
        return await self.post(self.message(id_, *do, method=method, **params))

    def message(self, id_: Any, *do: tuple[str, Any], method: str = "x", **params: Any) -> dict[str, Any]:
        """A request of this client's era."""
        if do:
            params["do"] = do
        if self.version == MODERN:
            params["_meta"] = {"io.modelcontextprotocol/protocolVersion": MODERN} | params.get("_meta", {})
        return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}

    async def call(self, id_: Any, *do: tuple[str, Any], method: str = "x", **params: Any) -> Answer:
        """A request and its whole answer."""
        return await self.read(await self.request(id_, *do, method=method, **params))

    async def get(self, last_event_id: str = "") -> Reply:
        """The GET stream."""
        return await self.ask(
            "GET", b"", {b"last-event-id": last_event_id.encode()} if last_event_id else None
        )

    async def read(self, reply: Reply) -> Answer:
        """The whole answer."""
        async with asyncio.timeout(SECONDS):
            head = await reply.head()
            if dict(head.headers).get(b"content-type") == b"text/event-stream":
                body = b""
                while chunk := await reply.chunk():
                    body += chunk
                answer = Answer(head, body, events=events_of(body))
            else:
                body = await reply.body(1 << 30)
                answer = Answer(head, body, json.loads(body) if body else None)
        self.upstream.done(reply)
        return answer

    async def opened(self) -> Client:
        """A client with a session of its own."""
        answer = await replace(self, session="", version="").call(0, method="initialize")
        return replace(self, session=answer.session, version="2025-11-25")

    def leave(self, reply: Reply) -> None:
        """The client closes its connection."""
        reply.fail(Gone())
        self.upstream.done(reply)

    def heard(self) -> list[bytes]:
        """The lines that programs got, as they came."""
        return self.heard_file.read_bytes().splitlines(keepends=True) if self.heard_file.exists() else []


async def events(reply: Reply, count: int) -> list[dict[str, str]]:
    """The next `count` events of a stream that stays open."""
    found: list[dict[str, str]] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < count:
            found += events_of(await reply.chunk())
    return found


async def until(fact: Callable[[], Any]) -> None:
    """Waits for a fact that nothing tells of."""
    async with asyncio.timeout(SECONDS):
        while not fact():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def puppets(folder: Path, timeouts: Timeouts | None = None, **limits: Any) -> AsyncIterator[Client]:
    """A client of an upstream that runs puppets."""
    heard = folder / "heard"
    connection = Connection(
        "puppets",
        command=(sys.executable, "-I", "-S", str(PUPPET), str(heard)),
        env=(("GIVEN", "yes"),),
        timeouts=timeouts or Timeouts(),
        stdio=StdioLimits(**limits),
    )
    upstream = StdioUpstream(connection)
    try:
        yield Client(upstream, heard)
    finally:
        await upstream.close()


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client without a session, of the eras with a handshake."""
    async with puppets(tmp_path) as one:
        yield one
