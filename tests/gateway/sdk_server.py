"""An MCP server made with the official SDK, with one tool for each thing that a relay can get wrong."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

import uvicorn
from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, MCPServer, Resolve
from pydantic import BaseModel

from sluicegate.demo.resumption import RecentEvents


@dataclass
class SdkServer:
    """A running server; what its tools saw."""

    port: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.port}/mcp"


class Name(BaseModel):
    """What a person is asked for."""

    name: str


async def ask_name() -> Elicit[Name]:
    """A question to the client: a request on the stream, or `input_required` from 2026-07-28 on."""
    return Elicit("Who are you?", Name)


def _made(state: SdkServer) -> MCPServer:
    server = MCPServer("relay-tests", log_level="ERROR")

    @server.tool()
    async def add(a: int, b: int) -> int:
        """The sum."""
        return a + b

    @server.tool(structured_output=False)
    async def count(to: int, ctx: Context) -> str:
        """Counts, with progress."""
        for number in range(1, to + 1):
            await ctx.report_progress(number, to, f"at {number} of {to}")
        return "counted"

    @server.tool(structured_output=False)
    async def greet(answer: Annotated[ElicitationResult[Name], Resolve(ask_name)]) -> str:
        """Greets whom the client says it is."""
        return f"hello {answer.data.name}" if isinstance(answer, AcceptedElicitation) else "hello nobody"

    @server.tool(structured_output=False)
    async def hang(ctx: Context) -> str:
        """Never ends, unless cancelled."""
        await ctx.report_progress(0, 1, "hanging")
        state.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            state.cancelled.set()
            raise
        return "never"

    @server.tool(structured_output=False)
    async def drop(ctx: Context) -> str:
        """Closes its stream before it answers: the client has to resume."""
        await ctx.close_sse_stream()
        return "resumed"

    return server


@asynccontextmanager
async def sdk_server() -> AsyncIterator[SdkServer]:
    """Runs the server on a free port."""
    state = SdkServer()
    app = _made(state).streamable_http_app(event_store=RecentEvents(), retry_interval=50)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        state.port = listening.getsockname()[1]
        config = uvicorn.Config(app, http="httptools", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listening]))
        try:
            yield state
        finally:
            server.should_exit = True
            await task
