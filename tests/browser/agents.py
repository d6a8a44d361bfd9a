"""Agents at work while people look: real MCP clients through the gateway, as the demo's people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, Implementation, TextContent

from sluicegate.demo.caller import Caller

ERA_MODE, WAIT_SECONDS = "auto", 120.0


@asynccontextmanager
async def agent(gateway: str, person: str) -> AsyncIterator[Client]:
    """An agent that works for `person`, who logs in at the demo's provider."""
    http = Caller(person, gateway).http()
    made = Client(
        streamable_http_client(gateway, http_client=http),
        mode=ERA_MODE,
        client_info=Implementation(name="oncall-agent", version="1.0.0"),
        read_timeout_seconds=WAIT_SECONDS,
    )
    async with http, made as client:
        yield client


async def called(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    """One call of a tool."""
    return await client.call_tool(tool, arguments)


def text_of(result: CallToolResult) -> str:
    """What the tool said."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
