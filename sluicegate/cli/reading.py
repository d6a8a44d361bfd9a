"""One question to the trail, from a command that is not async."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sluicegate.cli.failures import told
from sluicegate.cli.options import settings_of
from sluicegate.cli.quiet import run_quietly

if TYPE_CHECKING:
    from sinks.readers import Reader

Answer = TypeVar("Answer")


def answer(config: Path, ask: "Callable[[Reader], Awaitable[Answer]]") -> Answer:
    """What `ask` gives for a reader of the trail that `config` names. Failures of the store are told."""
    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.client import open_reader  # noqa: PLC0415
    from sinks.readers import ReadError  # noqa: PLC0415

    settings = settings_of(config).sink_settings()

    async def run() -> Answer:
        reader = open_reader(settings)
        try:
            return await ask(reader)
        finally:
            await reader.close()

    with told(ReadError, StoreError):
        return run_quietly(run())
