"""The book: where each approval was told, on topic `approvals.deliveries`, and which process does the telling.

Vendors differ in what can be asked of them afterwards (a Teams bot cannot search, a webhook knows nothing), so what
was told is kept on our side, in one way for all. An entry is written before anybody is told (`external_id` empty) and
again after: who finds the first kind asks the vendor, where it can be asked, before telling a second time.

The topic has one partition, and the consumer group gives it to one process: that one delivers. The others read
nothing and wait to take over.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from schemas.clients import start_client
from schemas.codec import CodecError
from schemas.deliveries import ApprovalDelivery, delivery_key, delivery_value, open_delivery
from schemas.kafka import KafkaAddress

TOPIC = "approvals.deliveries"
GROUP = "sluicegate-integrations"
WRITE_SECONDS = 10.0
PAUSE_SECONDS = 1.0
SESSION_MS = 10_000
PLACE = TopicPartition(TOPIC, 0)

log = structlog.get_logger("integrations")


class BookError(Exception):
    """An entry was not acknowledged by Kafka, or the book is another process's now."""


class Book(Protocol):
    """The entries, for whom the book is open."""

    def entry(self, approval_id: str, integration: str) -> ApprovalDelivery | None:
        """Where an approval was told by an integration; None when it was not."""
        ...

    def entries(self, integration: str) -> list[ApprovalDelivery]:
        """All of an integration."""
        ...

    async def write(self, entry: ApprovalDelivery) -> None:
        """`entry` is durable. Raises BookError."""
        ...

    async def strike(self, entry: ApprovalDelivery) -> None:
        """Nothing is left to be told there. Raises BookError."""
        ...


class KafkaBook:
    """The book on Kafka. `run` keeps it; it is usable between `opened` and `closed`."""

    def __init__(self, kafka: KafkaAddress) -> None:
        self._kafka = kafka
        self._entries: dict[tuple[str, str], ApprovalDelivery] = {}
        self._producer: AIOKafkaProducer | None = None
        self._doubt = False
        self.opened = asyncio.Event()
        self.closed = asyncio.Event()
        self.closed.set()

    def entry(self, approval_id: str, integration: str) -> ApprovalDelivery | None:
        """As `Book` has it."""
        return self._entries.get((approval_id, integration))

    def entries(self, integration: str) -> list[ApprovalDelivery]:
        """As `Book` has it."""
        return [entry for (_, through), entry in self._entries.items() if through == integration]

    async def write(self, entry: ApprovalDelivery) -> None:
        """As `Book` has it."""
        try:
            value = delivery_value(entry)
        except CodecError as error:
            raise BookError(str(error)) from error
        await self._send(entry, value)
        self._entries[entry["approval_id"], entry["integration"]] = entry

    async def strike(self, entry: ApprovalDelivery) -> None:
        """As `Book` has it."""
        await self._send(entry, None)
        self._entries.pop((entry["approval_id"], entry["integration"]), None)

    async def run(self) -> None:
        """Be a member of the group until cancelled; Kafka going away only closes the book for a while."""
        while True:
            try:
                await self._serve()
            except (KafkaError, OSError) as error:
                log.warning("book_closed", error=type(error).__name__)
            self._close()
            await asyncio.sleep(PAUSE_SECONDS)

    # -- writing

    async def _send(self, entry: ApprovalDelivery, value: bytes | None) -> None:
        producer = self._producer
        if producer is None or not self.opened.is_set():
            raise BookError("the book of deliveries is not open here")
        key = delivery_key(entry["approval_id"], entry["integration"])
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await producer.send_and_wait(TOPIC, value, key=key)
        except (KafkaError, TimeoutError) as error:
            self._doubt = True
            raise BookError("Kafka did not acknowledge a delivery in time") from error

    # -- reading, and whose it is

    async def _serve(self) -> None:
        self._doubt = False
        async with self._producing(), self._member() as consumer:
            try:
                while (
                    not self._doubt
                ):  # a failed send leaves the producer's sequence in doubt: a new one begins
                    rows = await consumer.getmany(timeout_ms=250)
                    if not self.opened.is_set():  # once it is open, only this process writes
                        self._take(row for batch in rows.values() for row in batch)
                        await self._maybe_open(consumer)
            finally:
                self._close()

    async def _maybe_open(self, consumer: AIOKafkaConsumer) -> None:
        if PLACE not in consumer.assignment():
            return
        end = (await consumer.end_offsets([PLACE]))[PLACE]
        if await consumer.position(PLACE) >= end and PLACE in consumer.assignment():
            self.closed.clear()
            self.opened.set()
            log.info("book_open", entries=len(self._entries))

    def _take(self, rows: Iterable[object]) -> None:
        for row in rows:
            key, value = getattr(row, "key", None), getattr(row, "value", None)
            text = (key or b"").decode("utf-8", "replace")
            try:
                if value is None:
                    self._entries.pop((text[:36], text[37:]), None)
                else:
                    entry = open_delivery(key, value)
                    self._entries[entry["approval_id"], entry["integration"]] = entry
            except CodecError as error:
                log.warning("delivery_unreadable", reason=str(error))

    def _close(self) -> None:
        self.opened.clear()
        self.closed.set()
        self._entries.clear()

    @asynccontextmanager
    async def _producing(self) -> AsyncIterator[None]:
        producer = AIOKafkaProducer(
            **self._kafka.client_options(), acks="all", enable_idempotence=True, request_timeout_ms=5_000
        )
        try:
            await start_client(producer)
            await producer.partitions_for(TOPIC)  # a first send would wait for it
            self._producer = producer
            yield
        finally:
            self._producer = None
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(WRITE_SECONDS):
                    await producer.stop()

    @asynccontextmanager
    async def _member(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._kafka.client_options(),
            group_id=GROUP,
            enable_auto_commit=False,  # nothing is ever committed: who gets the partition reads all of it
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 5,
            request_timeout_ms=SESSION_MS + 5_000,
        )
        try:
            await start_client(consumer)
            consumer.subscribe([TOPIC], listener=_Taken(self._close))
            yield consumer
        finally:
            await consumer.stop()


class _Taken(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Closes the book before the partition may be somebody else's."""

    def __init__(self, close: "_Closing") -> None:
        self._close = close

    def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002
        self._close()

    def on_partitions_assigned(self, assigned: object) -> None:
        """It is read from its beginning."""


class _Closing(Protocol):
    def __call__(self) -> None: ...
