"""`approvals watch`: every change as it happens, from the topics or from a console's feed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from console.desk import Desk
from console.directory import Directory
from console.standing import row
from sluicegate.cli.approvals_asking import asked
from sluicegate.cli.approvals_rest import Rest
from sluicegate.cli.approvals_view import cells, told_cells
from sluicegate.cli.deciding import told_of_kafka
from sluicegate.cli.failures import told
from sluicegate.cli.options import kafka_of, settings_of
from sluicegate.cli.output import cell, print_json, print_line
from sluicegate.settings import Settings
from sluicegate.settings.console import console_settings
from sluicegate.settings.keys import KeyFileError

Change = tuple[Any, Any]
"""For programs, and the cells of a table's row."""


def watch_approvals(console: str, config: Path, count: int, *, as_json: bool) -> None:
    """Prints until it is interrupted, or `count` changes (0: any number) were told."""

    async def by_console(rest: Rest) -> None:
        changes = ((each, told_cells(each)) async for each in rest.changes())
        await _print(changes, count, as_json=as_json)

    try:
        if console:
            asked(console, config, by_console)
        else:
            with told(KeyFileError):
                told_of_kafka(_print(_here(settings_of(config)), count, as_json=as_json))
    except KeyboardInterrupt:
        return


async def _here(settings: Settings) -> AsyncIterator[Change]:
    """What this terminal reads off the topics itself."""
    desk = Desk(kafka_of(settings), console_settings(settings).keys, Directory())
    desk.start()
    try:
        await desk.wait_ready()
        async for standing in desk.subscribe():
            yield row(standing), cells(standing)
    finally:
        await desk.stop()


async def _print(changes: AsyncIterator[Change], count: int, *, as_json: bool) -> None:
    told_so_far = 0
    try:
        async for whole, shown in changes:
            print_json([whole]) if as_json else print_line("  ".join(filter(None, map(cell, shown))))
            told_so_far += 1
            if told_so_far == count:
                return
    finally:
        await changes.aclose()  # type: ignore[attr-defined]
