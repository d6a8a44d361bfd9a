"""Where answers of queries go: a table for people, or CSV, JSON or Parquet to a file or to a program."""

import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import settings_of
from sluicegate.cli.output import inert, print_json, print_table
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from sinks.sql.client import Analyst


class Form(StrEnum):
    """How an answer is given."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


AsForm = Annotated[Form, typer.Option("--format", "-f", help="CSV is safe to open in a spreadsheet.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of printing it.")
]
Params = Annotated[
    list[str],
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; may be given several times."),
]


def given(params: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE by name. Fails on anything else."""
    pairs = [one.partition("=") for one in params]
    wrong = [name for name, equals, _value in pairs if not equals or not name.isidentifier()]
    if wrong:
        raise Failure(f"--param {wrong[0]}: write NAME=VALUE", USAGE)
    return {name: value for name, _equals, value in pairs}


def answered(
    config: Path, ask: "Callable[[Analyst], Awaitable[bytes]]", form: Form, output: Path | None
) -> None:
    """Asks, and prints or writes what comes. Failures of the store are told."""
    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.readers import ReadError  # noqa: PLC0415
    from sinks.sql.client import open_analyst  # noqa: PLC0415

    if form is Form.PARQUET and output is None and sys.stdout.isatty():
        raise Failure("Parquet is no text: name a file with --output, or send it into a program", USAGE)
    settings = settings_of(config).sink_settings()

    async def run() -> bytes:
        return await ask(open_analyst(settings))

    with told(ReadError, StoreError):
        body = run_quietly(run())
    if output is None:
        _print(body, form)
    else:
        _write(body, form, output)


def _write(body: bytes, form: Form, output: Path) -> None:
    if form is Form.TABLE:
        raise Failure("a table is for people: choose --format csv, json or parquet for a file", USAGE)
    with told(OSError):
        output.write_bytes(body)


def _print(body: bytes, form: Form) -> None:
    """Nothing of what was recorded may steer the terminal."""
    if form is Form.TABLE:
        from sinks.sql.client import table_of  # noqa: PLC0415

        columns, rows = table_of(body)
        print_table(columns, rows, empty="no rows")
    elif form is Form.JSON:
        print_json(json.loads(line) for line in body.splitlines() if line)
    elif sys.stdout.isatty():
        sys.stdout.write(inert(body.decode("utf-8", "replace"), keep="\n"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
