"""Follows the topics of approvals from some time back, every partition, without a group: each console reads all.

`fault` tells what is wrong while Kafka is away; what was read before stays. The handler is called in the event loop
for each record, and must not raise.
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from console.standing import places_of
from schemas.clients import being_cancelled, let_go, start_client
from schemas.kafka import KafkaAddress

REQUESTED, DECIDED = "approvals.requested", "approvals.decided"
SETTLED, DELEGATED = "approvals.settled", "approvals.delegated"
TOPICS = (REQUESTED, DECIDED, SETTLED, DELEGATED)
RETRY_SECONDS = 0.5
POLL_MS = 500
ASK_SECONDS = 5.0
BREATH_RECORDS = 32  # signatures are checked between two breaths of the event loop

Handler = Callable[["ConsumerRecord[bytes, bytes]"], None]

log = structlog.get_logger("console")


class Follower:
    """One a process; `start` before use."""

    def __init__(
        self, kafka: KafkaAddress, back_seconds: int, handler: Handler, batch: Callable[[], None]
    ) -> None:
        self._kafka, self._back_seconds = kafka, back_seconds
        self._handler, self._batch = handler, batch
        self._task: asyncio.Task[None] | None = None
        self._caught_up = asyncio.Event()
        self._heard = time.monotonic()
        self.positions: dict[TopicPartition, int] = {}
        self.fault = "approvals have not been read yet"

    def start(self) -> None:
        """Begins to read in the background; `fault` tells how far it is."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Reads no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Whether everything was read once; it stays so."""
        return self._caught_up.is_set()

    async def wait_ready(self) -> None:
        """Returns once `ready`."""
        await self._caught_up.wait()

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except asyncio.CancelledError as error:
                if being_cancelled():
                    raise
                self._failed(error)
            except (KafkaError, OSError) as error:  # TimeoutError is an OSError
                self._failed(error)
            await asyncio.sleep(RETRY_SECONDS)

    def _failed(self, error: BaseException) -> None:
        self.fault = f"approvals cannot be read: {type(error).__name__}: {error}"
        log.warning("approvals_unread", error=type(error).__name__)

    async def _follow(self) -> None:
        consumer = _consumer(self._kafka)
        try:
            await start_client(consumer)
            places = await places_of(self._kafka, *TOPICS)
            consumer.assign(places)
            await self._place(consumer, places)
            ends = await _ends(consumer, places)
            while True:
                self._arrive(ends)
                batches = await consumer.getmany(timeout_ms=POLL_MS)
                if batches:
                    await self._take(batches)
                elif time.monotonic() - self._heard > ASK_SECONDS:
                    await self._ask(consumer, places)
        finally:
            await let_go(consumer)

    async def _place(self, consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> None:
        """Where it was before, else where the time begins that is looked back at; delegations from the beginning."""
        since = int((time.time() - self._back_seconds) * 1_000)
        async with asyncio.timeout(ASK_SECONDS):
            dated = await consumer.offsets_for_times(
                {place: since for place in places if place.topic != DELEGATED}
            )
            lows = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
        for place in places:
            if place not in self.positions:
                found = dated.get(place)
                later = ends[place] if place.topic != DELEGATED else lows[place]
                self.positions[place] = found.offset if found else later
            # retention may have taken what was next; a position past the end means that the topic was made anew
            self.positions[place] = max(self.positions[place], lows[place])
            if self.positions[place] > ends[place]:
                self.positions[place] = lows[place]
            consumer.seek(place, self.positions[place])

    async def _take(self, batches: "dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]") -> None:
        self._heard = time.monotonic()
        since_breath = 0
        for place, records in batches.items():
            for record in records:
                self._handler(record)
                self.positions[place] = record.offset + 1
                since_breath += 1
                if since_breath % BREATH_RECORDS == 0:
                    self._batch()
                    await asyncio.sleep(0)
        self._batch()

    def _arrive(self, ends: dict[TopicPartition, int]) -> None:
        if self.fault or not self.ready:
            if any(self.positions[place] < end for place, end in ends.items()):
                return
            self.fault = ""
            self._heard = time.monotonic()
            if not self.ready:
                self._caught_up.set()
                log.info("approvals_read")

    async def _ask(self, consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> None:
        """Raises KafkaError, TimeoutError when the broker is away, or gives nothing of what it has."""
        ends = await _ends(consumer, places)
        if any(self.positions[place] < end for place, end in ends.items()):
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            if not batches:
                raise KafkaError("the reader stands still")
            await self._take(batches)
        self._heard = time.monotonic()


def _asked_to_stop() -> bool:
    """Whether it was this task that somebody cancelled. A client that loses its broker may cancel what it waits for
    itself, and its CancelledError looks the same."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _ends(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    async with asyncio.timeout(ASK_SECONDS):
        return dict(await consumer.end_offsets(places))


def _consumer(kafka: KafkaAddress) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **kafka.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=10_000,
        retry_backoff_ms=100,
        metadata_max_age_ms=60_000,
    )
