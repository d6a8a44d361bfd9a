"""`frames` and `query`: the trail frame by frame, and by SQL."""

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, time_option
from sluicegate.cli.output import print_json, print_table
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.readers import Frame, FrameFilter, Reader


def frames(
    *,
    session: Annotated[UUID | None, typer.Option(metavar="ID", help="Of this session.")] = None,
    exchange: Annotated[UUID | None, typer.Option(metavar="ID", help="Of this exchange.")] = None,
    since: Annotated[str, time_option("Recorded at this ISO time (UTC) or later.")] = "",
    until: Annotated[str, time_option("Recorded before this ISO time.")] = "",
    connection: Annotated[str, typer.Option(help="Over this connection.")] = "",
    principal: Annotated[str, typer.Option(help="Of this caller.")] = "",
    direction: Annotated[
        Literal["", "request", "response", "end"], typer.Option(help="request, response or end.")
    ] = "",
    method: Annotated[str, typer.Option(help="With this MCP method.")] = "",
    tool: Annotated[str, typer.Option(help="With this tool.")] = "",
    verdict: Annotated[str, typer.Option(help="With this verdict of the rules.")] = "",
    outcome: Annotated[str, typer.Option(help="With this outcome.")] = "",
    verb: Annotated[str, typer.Option(help="With this Kubernetes verb: get, list, delete …")] = "",
    namespace: Annotated[str, typer.Option(help="In this Kubernetes namespace.")] = "",
    resource: Annotated[
        str, typer.Option(help="On this Kubernetes resource, such as pods; or MCP resource or prompt.")
    ] = "",
    text: Annotated[str, typer.Option(help="With all these words in the body's first 64 KB.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Print frames in the order of recording.

    With --json they are whole, else without their bodies.
    """
    from sinks.readers import FrameFilter  # noqa: PLC0415
    from sluicegate.cli.show import FRAME_COLUMNS, frame_cells  # noqa: PLC0415

    wanted = FrameFilter(
        session=str(session or ""),
        exchange=str(exchange or ""),
        since=since,
        until=until,
        connection=connection,
        principal=principal,
        direction=direction,
        method=method,
        tool=tool,
        verdict=verdict,
        outcome=outcome,
        verb=verb,
        namespace=namespace,
        resource=resource,
        text=text,
    )
    found = answer(config, lambda reader: _collect(reader, wanted, print_now=as_json))
    if not as_json:
        print_table(FRAME_COLUMNS, map(frame_cells, found), empty="no frames")


async def _collect(reader: "Reader", wanted: "FrameFilter", *, print_now: bool) -> "list[Frame]":
    """The frames; with `print_now` each is printed as it comes, and none is kept."""
    from sinks.paging import every_frame  # noqa: PLC0415

    kept = []
    async for frame in every_frame(reader, wanted):
        if print_now:
            print_json([frame])
        else:
            kept.append(frame)
    return kept
