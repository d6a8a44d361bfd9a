"""`replay`: a recorded MCP session as a server on this machine."""

import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import USAGE, Failure
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from sinks.exports.fixture import Fixture
    from sinks.readers import Reader

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BODY_BYTES_MAX = 8 * 1024 * 1024


def replay(
    session_id: Annotated[UUID, typer.Argument(metavar="SESSION", help="The id of an MCP session.")],
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Answer clients on this machine.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="On this port; 0 takes a free one.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Answer no request whose parameters were not recorded.")
    ] = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Serve a recorded MCP session as a mock MCP server, on loopback.

    Clients get what was answered then, in the same order, with secrets as the trail has them: as pseudonyms. Without
    --serve it says what could be answered. To read a session, see `sluicegate sessions replay`.
    """
    fixture = answer(config, lambda reader: _fixture(reader, str(session_id)))
    if not fixture.requests:
        raise Failure(f"session {session_id} has no MCP request with an answer in the trail", USAGE)
    if not serve:
        typer.echo(f"{fixture.requests} requests can be answered: {', '.join(sorted(fixture.methods))}")
        return
    _serve(fixture, port, strict)


async def _fixture(reader: "Reader", session_id: str) -> "Fixture":
    from sinks.exports.fixture import Fixture  # noqa: PLC0415
    from sinks.paging import every_frame  # noqa: PLC0415
    from sinks.readers import FrameFilter  # noqa: PLC0415

    frames = [frame async for frame in every_frame(reader, FrameFilter(session=session_id))]
    return Fixture.of(frame for frame in frames if frame["protocol"] == "mcp")


def _serve(fixture: "Fixture", port: int, strict: bool) -> None:
    import socket  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise Failure(
            f"port {port} cannot be used: {error.strerror}; take another, or 0 for a free one"
        ) from error
    with listening:
        typer.echo(
            f"serving {fixture.requests} answers at http://127.0.0.1:{listening.getsockname()[1]}{PATH}"
        )
        sys.stdout.flush()
        server = uvicorn.Server(uvicorn.Config(mock(fixture, strict), access_log=False, log_level="warning"))
        server.run(sockets=[listening])


def mock(fixture: "Fixture", strict: bool = False) -> "Starlette":
    """The server: Streamable HTTP, as far as a client asks and is answered. Pages of other sites may not ask it."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def ask(request: Request) -> Response:
        hosts = [urlsplit(f"//{request.headers.get('host', '')}").hostname]
        if "origin" in request.headers:
            hosts.append(urlsplit(request.headers["origin"]).hostname)
        if any(host not in _LOOPBACK for host in hosts):
            return Response("this mock answers programs on this machine alone\n", 403)
        body = await request.body()
        if len(body) > _BODY_BYTES_MAX:
            return Response(status_code=413)
        given = fixture.answer(body)
        if strict and not given.exact:
            given = fixture.refusal(body)
        headers = {"mcp-session-id": "replay"} if b'"initialize"' in body else {}
        if not given.exact:
            headers["x-sluicegate-replay"] = "other parameters were recorded"
        return Response(given.body, given.status, headers, given.content_type)

    async def end(_: Request) -> Response:
        return Response(status_code=200)

    routes = [Route(PATH, ask, methods=["POST"]), Route(PATH, end, methods=["DELETE"])]
    return Starlette(routes=routes)
