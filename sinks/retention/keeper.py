"""The rounds of forgetting in the store process: one after the other, in the process that stores the tombstones."""

import asyncio
import time
from collections.abc import Callable

import structlog
from aiokafka.errors import KafkaError

from sinks.clickhouse import StoreAwayError
from sinks.retention.job import Forgetter
from sinks.retention.metrics import RetentionMetrics

log = structlog.get_logger(__name__)

_LOOK_AGAIN_SECONDS = 1.0
JUMP_SECONDS = 3_600.0
"""A clock that goes so far from the monotonic one is not believed: what is due by it may not be."""


class Keeper:
    """Runs rounds until it is asked to stop. `ours` says whether this process is the one that does."""

    def __init__(
        self,
        forgetter: Forgetter,
        metrics: RetentionMetrics,
        ours: Callable[[], bool],
        every_seconds: float,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._forgetter, self._metrics, self._ours = forgetter, metrics, ours
        self._every, self._clock = every_seconds, clock
        self._leaving = asyncio.Event()
        self._began = clock() - time.monotonic()

    def stop(self) -> None:
        """Asks `run` to return after the round under way."""
        self._leaving.set()

    async def run(self) -> None:
        """Rounds, with pauses between."""
        while not self._leaving.is_set():
            ours = self._ours()
            if ours:
                await self._round()
            await self._pause(self._every if ours else _LOOK_AGAIN_SECONDS)

    async def _round(self) -> None:
        if abs(self._clock() - time.monotonic() - self._began) > JUMP_SECONDS:
            self._metrics.fault("clock")
            log.error("retention_waits", cause="the clock of this machine jumped; restart once it is right")
            return
        try:
            self._metrics.round(await self._forgetter.round())
        except (StoreAwayError, KafkaError, TimeoutError) as error:
            self._metrics.fault("away")
            log.warning("retention_waits", cause=str(error)[:500] or type(error).__name__)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        except TimeoutError:
            return
