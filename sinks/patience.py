"""Trying again until something that is away comes back, or until we are asked to leave."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import TypeVar

import structlog
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from sinks.clickhouse import StoreAwayError

log = structlog.get_logger(__name__)
_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
_PAUSE_MAX_S = 5.0

Result = TypeVar("Result")


class AbandonedError(Exception):
    """What was under way is given up: the partitions go, or the process stops. Nothing of it is committed."""


class Patience:
    """Retries with growing pauses. `fault` says what is away while something is, and is '' otherwise."""

    def __init__(self, leaving: asyncio.Event, retried: Callable[[], None]) -> None:
        self.fault = ""
        self._leaving = leaving
        self._retried = retried

    async def until_done(self, work: Callable[[], Awaitable[Result]], what: str) -> Result:
        """What `work` gives in the end. Raises AbandonedError when we leave first; lets faults pass that stay.

        The store and Kafka being away is waited out; a commit that the group refuses is not.
        """
        for pause in chain(_PAUSES_S, repeat(_PAUSE_MAX_S)):
            try:
                result = await work()
            except (CommitFailedError, IllegalStateError):
                raise
            except (StoreAwayError, KafkaError, TimeoutError) as exc:
                self._retried()
                self.fault = f"{what}: {str(exc) or type(exc).__name__}"[:500]
                log.warning("waiting", what=what, cause=str(exc)[:500], seconds=pause)
                await self._pause(pause)
            else:
                self.fault = ""
                return result
        raise AssertionError("the pauses never end")

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        except TimeoutError:
            return
        raise AbandonedError
