"""`approvals access`: access lent for a time. Asked of the gateway; seen and taken back here."""

from typing import Annotated, Any
from uuid import UUID

import typer

from sluicegate.cli.approvals_asking import ConsoleUrl, asked
from sluicegate.cli.durations import seconds
from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile
from sluicegate.cli.output import print_json, print_line, print_table
from sluicegate.cli.quiet import run_quietly

commands = typer.Typer(no_args_is_help=True, help="Access to connections that is lent for a time.")

GRANTS = ("standing", "access")


@commands.command("list")
def list_grants(console: ConsoleUrl = "", as_json: AsJson = False, config: ConfigFile = DEFAULT_FILE) -> None:
    """List what is granted and in force: access to connections, and standing grants."""
    from console.standing import row  # noqa: PLC0415
    from sluicegate.cli.approvals import believed_here  # noqa: PLC0415
    from sluicegate.cli.approvals_view import COLUMNS, cells, told_cells  # noqa: PLC0415

    empty = "nothing is granted"
    if console:
        query = "state=approved&" + "&".join(f"kind={kind}" for kind in GRANTS)
        found = asked(console, config, lambda rest: rest.approvals(query))
        print_json(found) if as_json else print_table(COLUMNS, map(told_cells, found), empty=empty)
        return
    grants = [
        each
        for each in believed_here(config).values()
        if each.state == "approved" and each.request["kind"] in GRANTS
    ]
    if as_json:
        print_json(map(row, grants))
    else:
        print_table(COLUMNS, map(cells, grants), empty=empty)


@commands.command()
def revoke(
    approval_id: Annotated[UUID, typer.Argument(metavar="ID", help="The approval's id.")],
    comment: Annotated[
        str, typer.Option(help="Why; whoever asked is told, and it stands on the record.")
    ] = "",
    console: ConsoleUrl = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Take back what is granted; who uses it is cut off."""
    from sluicegate.cli.approvals import revoke as revoke_approval  # noqa: PLC0415

    revoke_approval(approval_id, comment=comment, console=console, config=config)


@commands.command()
def request(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the connection.")],
    *,
    reason: Annotated[str, typer.Option(help="Why you need it; whoever decides reads it.")],
    span: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 2h.")],
    gateway: Annotated[
        str, typer.Option(metavar="URL", help="The gateway; by default that of the latest login.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Ask for access to a connection, as the person who logged in; people decide, and it ends by itself."""
    lasting = seconds(span)
    if not lasting:
        raise Failure("say for how long with --for, such as 2h", USAGE)
    made = _ask_gateway(gateway, {"connection": connection, "reason": reason, "seconds": lasting})
    if as_json:
        print_json([made])
    else:
        print_line(f"approval {made['id']} is {made['state']}: {made['next']}")


def _ask_gateway(gateway: str, wish: dict[str, Any]) -> dict[str, Any]:
    from sluicegate.cli.approvals_rest import ConsoleError, Rest, gateway_place  # noqa: PLC0415
    from sluicegate.login.http import LoginError  # noqa: PLC0415

    async def ask() -> dict[str, Any]:
        async with Rest(await gateway_place(gateway)) as rest:
            return await rest.ask("POST", "/approvals/access", wish)

    with told(ConsoleError, LoginError, OSError):
        return run_quietly(ask())
