"""`admin`: what operators, and the gateway on its own account, did."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, time_option
from sluicegate.cli.output import print_json, print_table
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from sinks.readers import AdminAct

commands = typer.Typer(no_args_is_help=True, help="Acts of operators and of the gateway itself.")

COLUMNS = ("when", "through", "who", "action", "target", "outcome", "reason")


@commands.command("list")
def list_acts(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, latest first.")] = 50,
    actor: Annotated[str, typer.Option(help="By this one: USER@HOST, or the subject of a caller.")] = "",
    action: Annotated[str, typer.Option(help="Of this kind, such as session.kill.")] = "",
    target: Annotated[str, typer.Option(help="On this target.")] = "",
    since: Annotated[str, time_option("At this ISO time (UTC) or later.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List acts, the latest first."""
    from sinks.readers import AdminFilter  # noqa: PLC0415

    wanted = AdminFilter(actor, action, target, since)
    rows = answer(config, lambda reader: reader.admin(wanted, limit))
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, map(_cells, rows), empty="no acts")


def _cells(row: "AdminAct") -> tuple[Any, ...]:
    from sluicegate.cli.show import moment  # noqa: PLC0415

    who = f"{row['actor']} of {row['actor_issuer']}" if row["actor_issuer"] else row["actor"]
    return (
        moment(row["at"]),
        row["actor_kind"],
        who,
        row["action"],
        row["target"],
        row["outcome"],
        row["reason"],
    )
