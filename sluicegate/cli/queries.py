"""Saved queries: the views, and worked ones."""

from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.answers import AsForm, Form, Output, Params, answered, given
from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, settings_of
from sluicegate.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from sinks.sql.saved import Saved

commands = typer.Typer(no_args_is_help=True, help="Questions about the trail that are written already.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `sluicegate queries list` names it.")]


@commands.command("list")
def list_(as_json: AsJson = False) -> None:
    """Which there are, and what they take."""
    from dataclasses import asdict  # noqa: PLC0415

    from sinks.sql.saved import saved_queries  # noqa: PLC0415

    found = saved_queries().values()
    if as_json:
        print_json(asdict(query) for query in found)
    else:
        rows = ((query.name, query.title, " ".join(one.name for one in query.parameters)) for query in found)
        print_table(("name", "what it answers", "parameters"), rows, empty="none")


@commands.command()
def show(name: Name) -> None:
    """Its parameters and its SQL."""
    query = _saved(name)
    print_line(query.title)
    for one in query.parameters:
        print_line(f"--param {one.name}={one.default}  ({one.kind}) {one.about}")
    for line in query.sql.splitlines():
        print_line(line)


@commands.command()
def run(
    name: Name,
    param: Params = [],  # noqa: B006  # typer takes the default from here and keeps it
    form: AsForm = Form.TABLE,
    output: Output = None,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Ask it, and print or export what it gives."""
    values = given(param)
    answered(config, lambda analyst: analyst.saved(name, values, form), form, output)


@commands.command()
def access(config: ConfigFile = DEFAULT_FILE) -> None:
    """The SQL that gives a ClickHouse server its roles, limits and row policies by team.

    The store process runs it when it starts, if its user may; if not, run it as one who may.
    """
    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.sql.access import statements, table_columns  # noqa: PLC0415

    settings = settings_of(config).sink_settings()
    address = settings.clickhouse
    if address.embedded:
        raise Failure(
            "the embedded store has no users: roles are for a server, named in clickhouse.dsn", USAGE
        )
    with told(StoreError):
        client = address.connect()
        columns = table_columns(client, address.database)
        client.close()
    for statement in statements(address.database, settings.teams, columns):
        print_line(f"{' '.join(statement.split())};")


def _saved(name: str) -> "Saved":
    from sinks.sql.saved import SavedError, saved  # noqa: PLC0415

    with told(SavedError):
        return saved(name)
