"""`sessions kill`: ends a session on every replica."""

from typing import Annotated
from uuid import UUID

import typer

from sluicegate.cli.deciding import carry_out
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile
from sluicegate.cli.output import print_line


def kill(
    session_id: Annotated[UUID, typer.Argument(metavar="ID", help="The session's id.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded, and the client is told.")] = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """End a session: its streams close, and no further request of it passes."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from schemas.control import session_killed  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision, operator  # noqa: PLC0415

    record = session_killed(stamp(), str(session_id), by=str(operator()), reason=reason)
    changes = [(record["target"], record)]
    carry_out(config, Decision("session.kill", str(session_id), reason, changes))
    print_line(
        f"session {session_id} is killed; its caller may begin another one, unless you block the principal"
    )
