"""The sink: what lies on `audit`, `findings`, `admin`, `sealed` and `approvals.*` goes into the store, once.

    take over → fetch → cut a batch → sort → journal → insert, dead letters → note the position → fetch …

A batch is named by its offsets. Before it goes to the store the commit metadata names it (the journal), and only
afterwards its offsets are committed: with the next batch's journal, or when nothing comes. After a crash the batch
in doubt is cut again as it was, and rows that are stored already are left out.
"""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from schemas.kafka import KafkaAddress
from sinks.batches import Fetched, Intake, sort
from sinks.clickhouse import StoreThread
from sinks.consumer import Committed, SinkConsumer
from sinks.dead_letters import DeadLetters
from sinks.journal import BatchRange, in_doubt
from sinks.metrics import SinkMetrics
from sinks.patience import AbandonedError, Patience
from sinks.seen import SeenFrames
from sinks.settings import SinkSettings, SinkTopics
from sinks.store import load_seen
from sinks.tables import (
    Target,
    admin_target,
    alerts_target,
    checkpoints_target,
    decided_target,
    findings_target,
    frames_target,
    requested_target,
    retention_target,
    sealed_target,
    settled_target,
    tombstones_target,
)
from sinks.writer import BatchWriter

log = structlog.get_logger(__name__)
_IDLE_WAIT_MS = 1_000
_KAFKA_AWAY = "Kafka does not answer"


class Sink:
    """Stores records until it is stopped."""

    def __init__(
        self,
        settings: SinkSettings,
        kafka: KafkaAddress,
        store: StoreThread,
        metrics: SinkMetrics,
        targets: Sequence[Target] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._state = "the store is being opened"
        self._stopping = False
        self._consumer = SinkConsumer(settings, kafka)
        self._held = self._consumer.partitions
        self._patience = Patience(self._held.leaving, metrics.retries.inc)
        self._letters = DeadLetters(kafka, settings.topics.dead_letters)
        self._writer = BatchWriter(
            database=settings.clickhouse.database,
            store=store,
            consumer=self._consumer,
            letters=self._letters,
            patience=self._patience,
            metrics=metrics,
        )
        chosen = targets or targets_of(settings.topics)
        self._targets = {target.topic: target for target in chosen}
        self._intakes: dict[str, Intake] = {}
        self._seen = SeenFrames()
        self._replays: list[BatchRange] = []

    @property
    def fault(self) -> str:
        """Why the sink is not ready; '' when it takes and stores records."""
        return self._patience.fault or self._state

    def stop(self) -> None:
        """Asks `run` to finish the insert under way and return."""
        self._stopping = True
        self._held.stop()

    async def run(self) -> None:
        """Takes and stores records until `stop`. Raises KafkaError for what only a restart can mend."""
        try:
            await self._patience.until_done(self._consumer.start, _KAFKA_AWAY)
            while not self._stopping:
                await self._step()
            async with asyncio.timeout(_IDLE_WAIT_MS / 1_000):
                await self._writer.settle()
        except (AbandonedError, CommitFailedError, IllegalStateError, TimeoutError):
            log.info("left_unsettled")  # the next start finds the journal
        finally:
            self._state = "stopped"
            await self._consumer.stop()
            await self._letters.close()

    def has(self, topic: str) -> bool:
        """Whether a partition of `topic` is ours, and stored."""
        return self._held.held and any(tp.topic == topic for tp in self._consumer.assignment())

    def observe(self) -> None:
        """Brings the gauges up to date."""
        self._metrics.ready.set(not self.fault)
        for tp, records in self._consumer.lag(self._writer.positions.done).items():
            self._metrics.lag.labels(tp.topic, str(tp.partition)).set(records)

    # -- the loop

    async def _step(self) -> None:
        try:
            if not self._held.held:
                await self._take_over()
            await self._fetch()
            async with self._held.busy:
                if self._held.held:
                    await self._work_off()
        except (AbandonedError, CommitFailedError, IllegalStateError) as exc:
            log.info("batch_abandoned", cause=type(exc).__name__)
            self._held.held = False

    async def _fetch(self) -> None:
        """Takes in what has come. What came for partitions that went is left alone."""
        epoch = self._held.epoch
        fetched = await self._consumer.fetch(_IDLE_WAIT_MS)
        if epoch != self._held.epoch or not self._held.held:
            return
        for tp, records in fetched.items():
            self._intakes[tp.topic].add(tp.partition, records)

    async def _work_off(self) -> None:
        if self._replays:
            await self._replay()
        if self._replays:
            return
        waiting = [intake for intake in self._intakes.values() if intake.waiting_rows]
        for intake in waiting:  # also what was fetched along with a batch in doubt
            await self._store_waiting(intake)
        if not waiting:
            await self._writer.settle()

    async def _store_waiting(self, intake: Intake) -> None:
        target = self._targets[intake.topic]
        while cut := intake.cut(self._settings.rows_max, self._settings.bytes_max):
            if self._held.leaving.is_set():
                raise AbandonedError
            await self._write(target, *cut)

    async def _write(self, target: Target, batch: BatchRange, records: Sequence[Fetched]) -> None:
        found = sort(target, records, self._seen)
        await self._writer.write(target, batch, records, found)
        self._seen.add_all(found.frames)

    # -- taking over

    async def _take_over(self) -> None:
        """Reads where our partitions stand: committed offsets, batches in doubt, what is stored already."""
        epoch, ours = self._held.epoch, self._consumer.assignment()
        if not ours:
            self._state = "no partition is assigned to this process; do the topics exist?"
            return
        committed = await self._patience.until_done(lambda: self._consumer.committed(ours), _KAFKA_AWAY)
        await self._load_seen(ours)
        self._intakes = {topic: Intake(topic) for topic in self._targets}
        self._writer.positions.reset({tp: committed.get(tp, (0, ""))[0] for tp in ours})
        self._replays = [batch for topic in self._targets for batch in in_doubt(topic, _of(topic, committed))]
        await self._consumer.go_to(ours, committed)
        self._aim()
        if epoch == self._held.epoch and ours == self._consumer.assignment():
            self._held.held, self._state = True, ""
            log.info("partitions_taken", partitions=len(ours), batches_in_doubt=len(self._replays))

    async def _load_seen(self, ours: set[TopicPartition]) -> None:
        audit = [tp.partition for tp in ours if tp.topic == self._settings.topics.audit]
        database = self._settings.clickhouse.database
        self._seen = await self._patience.until_done(
            lambda: self._store.call(lambda client: load_seen(client, database, audit)), "the store is away"
        )

    def _aim(self) -> None:
        """Fetches for the batch in doubt alone, so that what waits stays bounded; for all when there is none."""
        if self._replays:
            self._consumer.only(_partitions(self._replays[0]))
        else:
            self._consumer.all()

    async def _replay(self) -> None:
        """Stores the batch in doubt once all of it was fetched."""
        batch = self._replays[0]
        for tp in _partitions(batch):
            if not await self._consumer.has_passed(tp, batch.ranges[tp.partition][1]):
                return
        records = self._intakes[batch.topic].cut_again(batch)
        await self._write(self._targets[batch.topic], batch, records)
        self._metrics.batches_replayed.inc()
        del self._replays[0]
        self._aim()


def targets_of(topics: SinkTopics) -> tuple[Target, ...]:
    """Every topic that is stored, and its table."""
    return (
        frames_target(topics.audit),
        findings_target(topics.findings),
        admin_target(topics.admin),
        sealed_target(topics.sealed),
        requested_target(topics.requested),
        decided_target(topics.decided),
        settled_target(topics.settled),
        alerts_target(topics.alerts),
        checkpoints_target(topics.checkpoints),
        tombstones_target(topics.tombstones),
        retention_target(topics.retention),
    )


def _partitions(batch: BatchRange) -> set[TopicPartition]:
    return {TopicPartition(batch.topic, partition) for partition in batch.ranges}


def _of(topic: str, committed: Committed) -> dict[int, tuple[int, str]]:
    return {tp.partition: entry for tp, entry in committed.items() if tp.topic == topic}
