"""Follows topic `approvals.settled` without a group: every replica reads all of it that still matters.

What was settled longer ago than any approval can last is not read. At start nothing is known, so `ready` stays False
until the topic was read to the ends it had then. Every few seconds the broker is asked where the topic ends; once
everything before those ends was read, it is known that nothing older than the question is missing: `unheard_seconds`
counts from there. A reader that does not get there until the next question stands still, is told of, and replaced.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from gateway.edge.approvals.metrics import METRICS
from schemas.approvals import SETTLED
from schemas.clients import being_cancelled, let_go, start_client
from schemas.kafka import KafkaAddress

DAYS = 31
"""A request lives 30 days at most, and so does a grant from the record of it."""

RETRY_SECONDS = 0.5
POLL_MS = 1_000
ASK_SECONDS = 3.0
ANSWER_SECONDS = 5.0
RECORDS_MAX = 100  # at once: each signature takes a tenth of a millisecond, and others wait meanwhile

Clock = Callable[[], float]
"""Unix seconds."""

Take = Callable[[Any], None]
"""Takes one row of the topic; whatever it raises stops nothing."""

Ends = Mapping[TopicPartition, int]

log = structlog.get_logger("approvals")


class Reader:
    """`take` is given each row, `taken` is called after each batch of them, and once all were read."""

    def __init__(
        self,
        kafka: KafkaAddress,
        take: Take,
        taken: Callable[[], None],
        *,
        clock: Clock = time.time,
        ask_seconds: float = ASK_SECONDS,
    ) -> None:
        self._kafka = kafka
        self._take = take
        self._taken = taken
        self._clock = clock
        self._ask_seconds = ask_seconds
        self._positions: dict[TopicPartition, int] = {}
        self._ends: Ends = {}
        self._asked = self._heard = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self.ready = False
        self.fault = f"the topic {SETTLED} has not been read yet"

    def start(self) -> None:
        """Begins to read in the background; `fault` tells how far it is."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Reads no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def unheard_seconds(self) -> float:
        """For how long it is not known whether all was read; seldom above a few seconds."""
        return time.monotonic() - self._heard

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except asyncio.CancelledError as exc:
                if being_cancelled():
                    raise
                self._failed(exc)
            except (KafkaError, OSError) as exc:  # TimeoutError is one of the latter
                self._failed(exc)
            except Exception as exc:  # whatever it is, a reader that is gone would never hear of a revocation
                log.exception("approvals_reader_failed")
                self._failed(exc)
            await asyncio.sleep(RETRY_SECONDS)

    def _failed(self, exc: BaseException) -> None:
        self.fault = f"the topic {SETTLED} cannot be read: {type(exc).__name__}"
        log.warning("approvals_unread", error=type(exc).__name__, unheard_seconds=self.unheard_seconds)

    async def _follow(self) -> None:
        consumer = _consumer(self._kafka)
        try:
            await start_client(consumer)
            await self._begin(consumer)
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS if self.ready else 100)
                for batch in batches.values():
                    self._take_all(batch)
                if batches:
                    self._taken()
                await self._judge(consumer)
        finally:
            await let_go(consumer)

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Goes on where it was; a partition that is new to it is read from `DAYS` ago."""
        places = await _places(consumer)
        consumer.assign(places)
        new = [place for place in places if place not in self._positions]
        self._positions.update(await _starts(consumer, new, self._clock()))
        for place in places:
            consumer.seek(place, self._positions[place])
        await self._ask(consumer)

    def _take_all(self, batch: list[Any]) -> None:
        for row in batch:
            try:
                self._take(row)
            except Exception:  # whatever it is, the decisions that follow must be read
                METRICS.ignored.labels("failed").inc()
                log.exception("settled_record_ignored", offset=row.offset)

    async def _judge(self, consumer: AIOKafkaConsumer) -> None:
        """Raises KafkaError, TimeoutError when the broker is away, or gives nothing of what it has."""
        for place in self._positions:
            self._positions[place] = await consumer.position(place)
        if self._reached():
            self._arrive()
        if time.monotonic() - self._asked < self._ask_seconds:
            return
        if self.ready and not self._reached():
            raise KafkaError("the reader stands still")
        if consumer.partitions_for_topic(SETTLED) != {place.partition for place in self._positions}:
            raise KafkaError("the topic has other partitions now")
        await self._ask(consumer)

    def _reached(self) -> bool:
        return all(self._positions[place] >= end for place, end in self._ends.items())

    def _arrive(self) -> None:
        self._heard = max(self._heard, self._asked)
        self.fault = ""
        if not self.ready:
            self.ready = True
            log.info("approvals_caught_up")
            self._taken()

    async def _ask(self, consumer: AIOKafkaConsumer) -> None:
        asked = time.monotonic()
        async with asyncio.timeout(ANSWER_SECONDS):
            self._ends = await consumer.end_offsets(list(self._positions))
        self._asked = asked
        METRICS.unheard_seconds.set(self.unheard_seconds)


async def _places(consumer: AIOKafkaConsumer) -> list[TopicPartition]:
    """The partitions of the topic. Raises KafkaError when there is none, TimeoutError."""
    first = TopicPartition(SETTLED, 0)
    consumer.assign([first])  # the client only knows topics that it reads
    async with asyncio.timeout(ANSWER_SECONDS):
        await consumer.end_offsets([first])
    numbers = consumer.partitions_for_topic(SETTLED)
    if not numbers:
        raise KafkaError(f"there is no topic {SETTLED}")
    return [TopicPartition(SETTLED, number) for number in sorted(numbers)]


async def _starts(consumer: AIOKafkaConsumer, places: list[TopicPartition], now: float) -> dict[Any, int]:
    """Where the records of the last `DAYS` begin; a partition that has none is read from its end."""
    if not places:
        return {}
    since = int((now - DAYS * 86_400) * 1_000)
    async with asyncio.timeout(ANSWER_SECONDS):
        ends = await consumer.end_offsets(places)  # before: what comes meanwhile lies behind these
        found = await consumer.offsets_for_times(dict.fromkeys(places, since))
    return {place: ends[place] if (at := found[place]) is None else at.offset for place in places}


def _consumer(kafka: KafkaAddress) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **kafka.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=RECORDS_MAX,
        request_timeout_ms=10_000,
        retry_backoff_ms=100,
        metadata_max_age_ms=60_000,
    )
