"""Tasks that no request waits for. They are held until they end, and ended with the process."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

TASKS_MAX = 1_000

log = structlog.get_logger("background")


class Background:
    """At most `TASKS_MAX` at once; more are not begun, and said so."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Begins `work`; False when there is too much of it already."""
        if len(self._tasks) >= TASKS_MAX:
            work.close()
            log.error("background_full", tasks=TASKS_MAX)
            return False
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return True

    async def stop(self, seconds: float) -> None:
        """Waits at most so long for what is under way, then ends it."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_failed", error=type(error).__name__)
