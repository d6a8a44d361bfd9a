"""`tools`: what servers said of their tools when they were first seen, what they say now, and accepting it."""

from typing import Annotated

import typer

from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile
from sluicegate.cli.output import print_json, print_line, print_table

commands = typer.Typer(no_args_is_help=True, help="Tools as they were pinned, and their changes.")

ConnectionName = Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the connection.")]
ToolName = Annotated[str, typer.Argument(metavar="TOOL", help="Name of the tool.")]


@commands.command("list")
def list_tools(
    connection: Annotated[str, typer.Option(help="Of this connection.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List the tools that were listed through the gateway, and whether they are as they were pinned."""
    from sluicegate.cli.deciding import address_of, told_of_kafka  # noqa: PLC0415
    from sluicegate.cli.pins import COLUMNS, cells, pins, row  # noqa: PLC0415

    known = told_of_kafka(pins(address_of(config), connection))
    if as_json:
        print_json(row(*each) for each in known)
    else:
        print_table(COLUMNS, (cells(*each) for each in known), empty="no tool was listed yet")


@commands.command()
def show(connection: ConnectionName, tool: ToolName, config: ConfigFile = DEFAULT_FILE) -> None:
    """Show what was pinned against what the server lists now."""
    from sluicegate.cli.deciding import address_of, told_of_kafka  # noqa: PLC0415
    from sluicegate.cli.pins import differences, pin  # noqa: PLC0415

    known = told_of_kafka(pin(address_of(config), connection, tool))
    facts = [("state", known.state), ("pinned digest", known.digest)]
    if known.state == "changed":
        facts += [("listed digest", known.seen_digest), ("changed", ", ".join(known.changed))]
    facts += [("flags", ", ".join(known.seen_flags or known.flags)), ("accepted by", known.accepted_by)]
    print_table(("fact", "value"), facts, empty="")
    print_line("")
    for line in differences(known):
        print_line(line)


@commands.command()
def accept(
    connection: ConnectionName,
    tool: ToolName,
    reason: Annotated[str, typer.Option(help="Why; it stands on the record.")],
    digest: Annotated[str, typer.Option(help="Only if it is listed with this digest.")] = "",
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Accept a tool as the server lists it now: calls of it are judged by the rules again."""
    from gateway.edge.announce import stamp  # noqa: PLC0415
    from sluicegate.cli.deciding import address_of, carry_out, told_of_kafka  # noqa: PLC0415
    from sluicegate.cli.decisions import Decision, operator  # noqa: PLC0415
    from sluicegate.cli.pins import accepting, pin  # noqa: PLC0415

    known = told_of_kafka(pin(address_of(config), connection, tool))
    by = str(operator())
    record = accepting(stamp(), (connection, tool), known, by=by, reason=reason, digest=digest)
    detail = {"before": known.digest, "accepted": record["digest"], "changed": list(known.changed)}
    change = (record["target"], record)
    carry_out(config, Decision("tool.accept", f"{connection}|{tool}", reason, [change], detail))
    print_line(f"accepted {tool} of {connection} with digest {record['digest']}")
