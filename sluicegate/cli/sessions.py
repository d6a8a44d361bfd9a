"""`sessions`: who talked over which connection, and the conversation again."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import Failure
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, time_option
from sluicegate.cli.output import print_json, print_line, print_table
from sluicegate.cli.pace import Pace
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.readers import Frame, Reader, Session

commands = typer.Typer(no_args_is_help=True, help="Conversations of one caller over one connection.")

SessionId = Annotated[UUID, typer.Argument(metavar="ID", help="The session's id.")]


@commands.command("list")
def list_sessions(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, latest first.")] = 50,
    principal: Annotated[str, typer.Option(help="Of this caller.")] = "",
    connection: Annotated[str, typer.Option(help="Over this connection.")] = "",
    since: Annotated[str, time_option("Active since this ISO time (UTC).")] = "",
    until: Annotated[str, time_option("Active before this ISO time.")] = "",
    group: Annotated[str, typer.Option(help="Of a caller in this group.")] = "",
    tool: Annotated[str, typer.Option(help="With a call of this tool.")] = "",
    verb: Annotated[str, typer.Option(help="With this Kubernetes verb: get, list, delete …")] = "",
    namespace: Annotated[str, typer.Option(help="With a request in this Kubernetes namespace.")] = "",
    resource: Annotated[
        str, typer.Option(help="With this Kubernetes resource, such as pods; or MCP resource or prompt.")
    ] = "",
    verdict: Annotated[str, typer.Option(help="With this verdict of the rules.")] = "",
    outcome: Annotated[str, typer.Option(help="With this outcome.")] = "",
    redacted: Annotated[bool, typer.Option("--redacted", help="With something masked.")] = False,
    finding: Annotated[bool, typer.Option("--finding", help="That a finding is about.")] = False,
    text: Annotated[str, typer.Option(help="With all these words in one body's first 64 KB.")] = "",
    before: Annotated[str, time_option("The next page: the last activity of the last one shown.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List the sessions, the latest first.

    All that is asked for has to hold in one exchange of the session.
    """
    from sinks.readers import SessionFilter  # noqa: PLC0415
    from sluicegate.cli.show import SESSION_COLUMNS, session_cells  # noqa: PLC0415

    wanted = SessionFilter(
        principal=principal,
        connection=connection,
        since=since,
        until=until,
        group=group,
        tool=tool,
        verb=verb,
        resource=resource,
        namespace=namespace,
        verdict=verdict,
        outcome=outcome,
        redacted=redacted,
        finding=finding,
        text=text,
        before=before,
    )
    rows = answer(config, lambda reader: reader.sessions(wanted, limit))
    if as_json:
        print_json(rows)
    else:
        print_table(SESSION_COLUMNS, map(session_cells, rows), empty="no sessions")


@commands.command()
def show(session_id: SessionId, as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """Show one session: its facts, and its frames without their bodies."""
    from sluicegate.cli.show import FRAME_COLUMNS, facts, frame_cells  # noqa: PLC0415

    async def ask(reader: "Reader") -> "tuple[Session | None, list[Frame]]":
        session = await reader.session(str(session_id))
        return session, [frame async for frame in _frames(reader, session_id)] if not as_json else []

    session, frames = answer(config, ask)
    if session is None:
        raise _unknown(session_id)
    if as_json:
        print_json([session])
        return
    print_table(("fact", "value"), facts(session), empty="")
    print_line("")
    print_table(FRAME_COLUMNS, map(frame_cells, frames), empty="no frames")


@commands.command()
def replay(
    session_id: SessionId,
    speed: Annotated[float, typer.Option(min=0.001, help="Times the original pace.")] = 1.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="All at once.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Print a session's frames in order, at the pace at which they were recorded."""

    import asyncio  # noqa: PLC0415

    async def play(reader: "Reader") -> int:
        pace = Pace(0.0 if no_wait else speed)
        shown = 0
        async for frame in _frames(reader, session_id):
            await asyncio.sleep(pace.seconds_until(datetime.fromisoformat(frame["recorded_at"])))
            _print_frame(frame, as_json=as_json)
            shown += 1
        return shown

    if not answer(config, play):
        raise _unknown(session_id)


def _print_frame(frame: "Frame", *, as_json: bool) -> None:
    from sluicegate.cli.show import replay_head  # noqa: PLC0415

    if as_json:
        print_json([frame])
        return
    print_line(replay_head(frame))
    if frame["body"] and "k8s.channel" in frame["attributes"] and not frame["body_base64"]:
        for line in frame["body"].splitlines():
            print_line(f"    {line}")
    elif frame["body"]:
        print_line(("base64: " if frame["body_base64"] else "") + frame["body"].rstrip("\n"))


def _frames(reader: "Reader", session_id: UUID) -> "AsyncIterator[Frame]":
    from sinks.paging import every_frame  # noqa: PLC0415
    from sinks.readers import FrameFilter  # noqa: PLC0415

    return every_frame(reader, FrameFilter(session=str(session_id)))


def _unknown(session_id: UUID) -> Failure:
    return Failure(
        f"the trail has no session {session_id}; `sluicegate sessions list` shows those it has (a frame is there "
        "about a second after it was recorded)"
    )
