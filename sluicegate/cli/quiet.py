"""Running async work in a command that tells its own failures."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from sluicegate.cli.logs import silence

Result = TypeVar("Result")


def run_quietly(work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` gives. What libraries log meanwhile is not shown: the command tells what a person needs."""
    import asyncio  # noqa: PLC0415

    silence()
    return asyncio.run(work)
