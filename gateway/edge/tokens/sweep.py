"""Clears topic `control` of what nobody but time would take back: revocations whose tokens have expired anyway, and
answers to findings that are over.

Only they are swept. A token's id never comes back, nor does the finding's that is in the key of an answer, so every
replica may do it at any time; a block by a person that ended could be renewed while its tombstone is on the way.
"""

import asyncio
import time

import structlog

from gateway.edge.announce import Announcer
from gateway.edge.control import Control

PERIOD_SECONDS = 600.0
AGE_SECONDS = 3_600.0  # clocks differ, and a replica that is behind must not take such a token

log = structlog.get_logger("tokens")


class Sweeper:
    """Sweeps again and again in the background. One a process."""

    def __init__(
        self, control: Control, announcer: Announcer, *, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._control = control
        self._announcer = announcer
        self._period = period_seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, one period from now."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Sweeps no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> int:
        """Takes back what ended long ago; how many records. What Kafka does not take waits for the next time."""
        swept = 0
        for record in self._control.expired(time.time() - AGE_SECONDS):
            if record["kind"] == "token_revoked" or record["cause"]:
                if not await self._announcer.control(record["target"], None):
                    break
                swept += 1
        return swept

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            if swept := await self.sweep():
                log.info("control_swept", records=swept)
