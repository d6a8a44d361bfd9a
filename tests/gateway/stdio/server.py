"""An MCP server made with the official SDK, over stdio. With `--legacy` it knows no `server/discover`."""

import os
import sys
from typing import Annotated, Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, Resolve
from mcp.shared.exceptions import MCPError
from mcp_types import METHOD_NOT_FOUND, RequestParams
from pydantic import BaseModel

server = MCPServer("stdio under test")


class Sure(BaseModel):
    """What a person says."""

    sure: bool


async def ask_first() -> Elicit[Sure]:
    """The question to the person behind the client."""
    return Elicit("Really?", Sure)


@server.tool(structured_output=False)
async def echo(text: str) -> str:
    """Says it again."""
    print(f"echo was called with {len(text)} characters", file=sys.stderr)
    return text


@server.tool(structured_output=False)
async def count(to: int, ctx: Context) -> str:
    """Counts, and tells how far it is."""
    for n in range(1, to + 1):
        await ctx.report_progress(n, to)
    return f"counted to {to}"


@server.tool(structured_output=False)
async def ask(answer: Annotated[ElicitationResult[Sure], Resolve(ask_first)]) -> str:
    """Does what was confirmed."""
    return "sure" if isinstance(answer, AcceptedElicitation) and answer.data.sure else "not sure"


@server.tool(structured_output=False)
async def change(ctx: Context) -> str:
    """Tells, in the way of the era, that the list of tools is another."""
    if (ctx.protocol_version or "") >= "2026-07-28":
        await ctx.notify_tools_changed()
    else:
        await ctx.session.send_tool_list_changed()
    return "changed"


@server.tool(structured_output=False)
async def wait(started: str, cancelled: str) -> str:
    """Waits for its cancellation; makes a file when it begins and another when it is cancelled."""
    await anyio.Path(started).touch()
    try:
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.Path(cancelled).touch()


@server.tool(structured_output=False)
async def die() -> str:
    """Ends the program at once."""
    os._exit(3)


async def no_discover(*_: Any) -> Any:
    """A server of an earlier era knows no such method."""
    raise MCPError(METHOD_NOT_FOUND, "Method not found")


if "--legacy" in sys.argv:
    server._lowlevel_server.add_request_handler("server/discover", RequestParams, no_discover)
server.run("stdio")
