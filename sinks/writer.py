"""One batch on its way: journalled, its unfit records put aside, the rest inserted under a token."""

import time
from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from sinks.avro import Placed
from sinks.batches import Fetched, Rejected, Sorted
from sinks.clickhouse import StoreThread, quoted
from sinks.consumer import SinkConsumer
from sinks.dead_letters import DeadLetters
from sinks.journal import BatchRange
from sinks.metrics import SinkMetrics
from sinks.patience import Patience
from sinks.repeats import Repeats
from sinks.store import insert
from sinks.tables import Target


class Positions:
    """How far each partition is stored, and which of these offsets are not committed yet."""

    def __init__(self) -> None:
        self.done: dict[TopicPartition, int] = {}
        self.unsettled: set[TopicPartition] = set()

    def reset(self, done: dict[TopicPartition, int]) -> None:
        """Starts anew from committed offsets."""
        self.done, self.unsettled = done, set()

    def passed(self, batch: BatchRange) -> None:
        """Every record of `batch` is stored or a dead letter."""
        for partition, (_first, last) in batch.ranges.items():
            self.done[TopicPartition(batch.topic, partition)] = last + 1
            self.unsettled.add(TopicPartition(batch.topic, partition))

    def to_commit(self, in_doubt: BatchRange | None = None) -> dict[TopicPartition, tuple[int, str]]:
        """(offset, metadata) to commit: what is done, and `in_doubt` as the journal's entry."""
        entries = {tp: (self.done[tp], "") for tp in self.unsettled}
        if in_doubt is not None:
            for partition, (first, _last) in in_doubt.ranges.items():
                entries[TopicPartition(in_doubt.topic, partition)] = (first, in_doubt.metadata())
        return entries


class BatchWriter:
    """Brings sorted batches into the store."""

    def __init__(
        self,
        *,
        database: str,
        store: StoreThread,
        consumer: SinkConsumer,
        letters: DeadLetters,
        patience: Patience,
        metrics: SinkMetrics,
    ) -> None:
        self.positions = Positions()
        self._database = database
        self._store = store
        self._consumer = consumer
        self._letters = letters
        self._patience = patience
        self._metrics = metrics
        self._repeats = Repeats()

    async def write(
        self, target: Target, batch: BatchRange, records: Sequence[Fetched], found: Sorted
    ) -> None:
        """Returns when all of `batch` is stored, a dead letter or known as a repeat; notes the positions.

        Raises AbandonedError when we leave first, CommitFailedError when the partitions are ours no more.
        """
        started = time.perf_counter()
        if found.keep:
            await self._commit(batch)
        rejected = found.rejected + await self._insert(target, batch, records, found)
        await self._note_repeats(batch, found.repeats)
        if rejected:
            await self._patience.until_done(
                lambda: self._letters.send(batch.topic, rejected), "dead letters cannot be written"
            )
        self.positions.passed(batch)
        self._count(target, records, found, rejected)
        self._metrics.batch_seconds.observe(time.perf_counter() - started)

    async def settle(self) -> None:
        """Commits what is stored and not committed yet."""
        if self.positions.unsettled:
            await self._commit(None)

    async def _commit(self, in_doubt: BatchRange | None) -> None:
        entries = self.positions.to_commit(in_doubt)
        await self._patience.until_done(lambda: self._consumer.commit(entries), "offsets cannot be committed")
        self.positions.unsettled.clear()

    async def _insert(
        self, target: Target, batch: BatchRange, records: Sequence[Fetched], found: Sorted
    ) -> list[Rejected]:
        unread: list[Placed] = []
        for fingerprint, placed in found.keep.items():
            work = self._insert_work(target, placed, f"{batch.token}/{fingerprint.hex()}")
            unread += await self._patience.until_done(work, "the store is away")
        places = {(placed.partition, placed.offset) for placed in unread}
        return [
            Rejected(record, "store_refused", "the store cannot read the record")
            for record in records
            if (record.partition, record.offset) in places
        ]

    async def _note_repeats(self, batch: BatchRange, repeats: Sequence[Placed]) -> None:
        """Where they lay stays known: the log over the topic has a leaf for each of them."""
        if repeats:
            token = f"{batch.token}/repeats"
            await self._patience.until_done(
                lambda: self._store.call(
                    lambda client: self._repeats.note(client, self._database, repeats, token)
                ),
                "the store is away",
            )

    def _insert_work(
        self, target: Target, placed: list[Placed], token: str
    ) -> Callable[[], Awaitable[list[Placed]]]:
        schema = target.schemas.of(placed[0].value)
        table = f"{quoted(self._database)}.{target.table}"
        return lambda: self._store.call(lambda client: insert(client, table, schema, placed, token))

    def _count(
        self, target: Target, records: Sequence[Fetched], found: Sorted, rejected: Sequence[Rejected]
    ) -> None:
        stored = len(records) - found.duplicates - len(rejected)
        self._metrics.batch_rows.observe(len(records))
        self._metrics.rows_stored.labels(target.table).inc(stored)
        self._metrics.duplicates.labels(target.table).inc(found.duplicates)
        for item in rejected:
            self._metrics.dead_letters.labels(item.reason_code).inc()
