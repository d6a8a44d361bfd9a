"""How far the consumers are behind: records that lie in a topic and are not yet committed by its group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

FOLLOWED = (("sluicegate-masking", "frames"), ("sluicegate-sink", "audit"))  # (group, topic)
POLL_S = 0.5
GROWTH_MAX = 0.02


@dataclass(frozen=True)
class Reading:
    """At one moment: seconds since the start, and by topic the records in it and those not yet committed."""

    at_s: float
    ends: dict[str, int]
    lags: dict[str, int]

    @property
    def lag(self) -> int:
        """Records behind, over all followed groups."""
        return sum(self.lags.values())


class LagReader:
    """Open clients that read the lag; use `lag_reader`."""

    def __init__(self, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        """`consumer` has no group: it only tells where the topics end."""
        self._admin = admin
        self._consumer = consumer
        self._begun = time.monotonic()
        self._partitions: dict[str, list[TopicPartition]] = {}

    async def start(self) -> None:
        """Learn the partitions of the followed topics."""
        for topic in await self._admin.describe_topics([topic for _, topic in FOLLOWED]):
            name = topic["topic"]
            self._partitions[name] = [TopicPartition(name, part["partition"]) for part in topic["partitions"]]

    async def read(self) -> Reading:
        """The lag now. Commits are asked for before ends, so that a lag can seem too long but never too short."""
        ends, lags = {}, {}
        for group, topic in FOLLOWED:
            committed = await self._admin.list_consumer_group_offsets(
                group, partitions=self._partitions[topic]
            )
            last = await self._consumer.end_offsets(self._partitions[topic])
            ends[topic] = sum(last.values())
            # A partition without a commit has offset -1: nothing of it is done.
            lags[topic] = ends[topic] - sum(max(0, offset.offset) for offset in committed.values())
        return Reading(time.monotonic() - self._begun, ends, lags)

    async def drained(self, timeout_s: float) -> float | None:
        """Seconds until nothing is left to do, or None when that takes longer than `timeout_s`."""
        begun = time.monotonic()
        while time.monotonic() - begun < timeout_s:
            if (await self.read()).lag == 0:
                return time.monotonic() - begun
            await asyncio.sleep(POLL_S)
        return None


@asynccontextmanager
async def lag_reader(bootstrap: str) -> AsyncIterator[LagReader]:
    """Clients for one stretch of readings."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await consumer.start()
        try:
            reader = LagReader(admin, consumer)
            await reader.start()
            yield reader
        finally:
            await consumer.stop()
    finally:
        await admin.close()


def wait_drained(bootstrap: str, timeout_s: float) -> float | None:
    """As `LagReader.drained`, from code that is not async."""

    async def wait() -> float | None:
        async with lag_reader(bootstrap) as reader:
            return await reader.drained(timeout_s)

    return asyncio.run(wait())


def slope(readings: Sequence[Reading]) -> float:
    """Records a second by which the lag grows after the first third: a least-squares line; 0 without 3 readings."""
    settled = _settled(readings)
    return _least_squares(settled) if len(settled) >= 3 else 0.0


def _settled(readings: Sequence[Reading]) -> Sequence[Reading]:
    # The first third is the way up to the standing lag that batches cause, and says nothing.
    return readings[len(readings) // 3 :]


def _least_squares(readings: Sequence[Reading]) -> float:
    count = len(readings)
    mean_at = sum(reading.at_s for reading in readings) / count
    mean_lag = sum(reading.lag for reading in readings) / count
    spread = sum((reading.at_s - mean_at) ** 2 for reading in readings)
    together = sum((reading.at_s - mean_at) * (reading.lag - mean_lag) for reading in readings)
    return together / spread


def flat(readings: Sequence[Reading], offered_per_s: float) -> bool:
    """Whether the pipeline keeps up: the lag grows by less than GROWTH_MAX of what is offered.

    `offered_per_s` is in records of all followed topics.
    """
    return len(_settled(readings)) >= 3 and slope(readings) < GROWTH_MAX * offered_per_s
