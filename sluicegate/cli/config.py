"""`check` and `config`: the configuration itself."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sluicegate.cli.failures import USAGE
from sluicegate.cli.options import DEFAULT_FILE, AsJson, settings_of
from sluicegate.cli.output import inert, print_json, print_line

commands = typer.Typer(no_args_is_help=True, help="The configuration's own description.")


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration to check.")] = DEFAULT_FILE,
    as_json: AsJson = False,
) -> None:
    """Validate a configuration.

    Tells every fault with its line, its column and what to do; and hints at what may not be meant.
    """
    if as_json:
        _check_for_programs(file)
        return
    settings = settings_of(file, files=True)
    names = ", ".join(connection.name for connection in settings.connections)
    print_line(f"{file}: good ({len(settings.connections)} connections: {names})")
    from sluicegate.settings.hints import hints  # noqa: PLC0415

    for hint in hints(settings):
        print_line(f"hint: {inert(hint)}")


def _check_for_programs(file: Path) -> None:
    from sluicegate.settings import SettingsError, load  # noqa: PLC0415

    try:
        load(file, files=True)
    except SettingsError as error:
        print_json(
            {"file": str(file), "line": p.line, "column": p.column, "problem": p.text} for p in error.problems
        )
        raise typer.Exit(USAGE) from error


@commands.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors; it is also in sluicegate/config.schema.json."""
    typer.echo(schema_text(), nl=False)


def schema_text() -> str:
    """The JSON Schema (2020-12) of the configuration, as the file in the repository has it."""
    from sluicegate.settings import Settings  # noqa: PLC0415

    body: dict[str, Any] = Settings.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Sluicegate configuration"}
    return json.dumps({**head, **{key: body[key] for key in body if key != "title"}}, indent=2) + "\n"
