"""`dead-letters`: what could not be processed, and the way back for it."""

from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from sluicegate.cli.failures import Failure, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, kafka_of, settings_of
from sluicegate.cli.output import print_json, print_line, print_table
from sluicegate.cli.quiet import run_quietly

commands = typer.Typer(no_args_is_help=True, help="Records that could not be processed.")
Result = TypeVar("Result")

COLUMNS = ("letter", "written", "from", "component", "reason", "why", "bytes", "redriven")


@commands.command("list")
def list_letters(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were redriven.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """List the dead letters that wait, without the records in them."""
    from sluicegate.cli.letters import waiting  # noqa: PLC0415

    address = kafka_of(settings_of(config))
    rows = [letter.row() for letter in _done(waiting(address, redriven_too=everything))]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, map(_cells, rows), empty="no dead letters")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    source = f"{row['topic']}:{row['source_partition']}:{row['source_offset']}"
    return (
        f"{row['partition']}:{row['offset']}",
        row["written_at"],
        source,
        row["component"],
        row["reason_code"],
        row["reason"],
        row["value_bytes"],
        "yes" if row["redriven"] else "",
    )


@commands.command()
def redrive(
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many, oldest first.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that were redriven before.")] = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Send dead letters back to the topics they came from, once what rejected them is mended."""
    from sluicegate.cli import letters  # noqa: PLC0415

    address = kafka_of(settings_of(config))
    sent, kept = _done(letters.redrive(address, limit=limit, again=again))
    print_line(f"{sent} sent back")
    if kept:
        lines = [f"letter {letter.partition}:{letter.offset}: {letter.obstacle}" for letter in kept]
        raise Failure("\n".join([f"{len(kept)} cannot be sent back:", *lines]))


def _done(work: Coroutine[Any, Any, Result]) -> Result:
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from sluicegate.cli.letters import LettersError  # noqa: PLC0415

    with told(KafkaError, LettersError, OSError):
        return run_quietly(work)
