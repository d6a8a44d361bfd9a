"""Reads `audit` as a member of the group, and signs checkpoints of the partitions that are this worker's."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from processors.checkpoints.book import Book, Page
from processors.checkpoints.intent import entry
from processors.checkpoints.log import Draft, Log
from processors.checkpoints.metrics import CheckpointMetrics
from processors.checkpoints.opener import Opener
from processors.checkpoints.refusal import RefusedError, begun, refused
from processors.checkpoints.settings import CheckpointSettings
from processors.checkpoints.signing import Signer
from processors.outlet import Outlet
from processors.records import Outgoing
from schemas.checkpoints import (
    CheckpointRecord,
    checkpoint_key,
    checkpoint_record,
    checkpoint_value,
    tree_head,
)
from schemas.clients import start_client
from schemas.findings import FindingRecord, finding_value
from schemas.kafka import MAX_MESSAGE_BYTES, KafkaAddress

log = structlog.get_logger(__name__)

READ_MS = 200
RECORDS_MAX = 2_000
MIB = 1024 * 1024


def utc_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


class Checkpointer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped here
    """One worker. `heads` are the newest checkpoints of its partitions, as they lie on the topic.

    Faust is not used: there is no table and no stream, one record follows the other without gaps, and the position
    is the tree's own. What is committed is only what is about to be signed."""

    def __init__(
        self,
        settings: CheckpointSettings,
        kafka: KafkaAddress,
        signer: Signer,
        opener: Opener,
        outlet: Outlet,
        *,
        metrics: CheckpointMetrics,
        now: Callable[[], int] = utc_micros,
    ) -> None:
        self.heads: dict[int, CheckpointRecord] = {}
        self.refusals: dict[int, RefusedError] = {}
        self._settings = settings
        self._topics = settings.topics
        self._signer = signer
        self._opener = opener
        self._outlet = outlet
        self._metrics = metrics
        self._now = now
        self._book = Book(settings.folder)
        self._logs: dict[int, Log] = {}
        self._doubted: set[int] = set()
        self._to_open: dict[int, float] = {}
        self._assigned = False
        self._places = 1
        self._consumer = AIOKafkaConsumer(
            group_id=settings.topics.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # an offset that is gone then shows as a hole
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=600_000,  # opening a long log takes its time
            fetch_max_wait_ms=READ_MS,
            fetch_max_bytes=16 * MIB,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES + MIB,
            **kafka.client_options(),
        )

    @property
    def fault(self) -> str:
        """Why this worker is not ready; '' when it signs what comes."""
        told = [f"audit-{number}: {fault}" for number, fault in sorted(self.refusals.items())]
        if told:
            return "no checkpoint is signed for " + "; ".join(told)
        if not self._assigned:
            return "no partitions assigned yet"
        ours = sorted(place.partition for place in self._consumer.assignment())
        closed = [f"audit-{number}" for number in ours if number not in self._logs]
        return f"the logs of {', '.join(closed)} are being opened" if closed else ""

    async def run(self, stop: asyncio.Event) -> None:
        """Sign until `stop`. Raises KafkaError, OSError or TimeoutError for what a restart has to mend."""
        await start_client(self._consumer)
        try:
            self._places = len(await self._opener.partitions(self._topics.checkpoints))
            self._consumer.subscribe([self._topics.audit], listener=self)
            while not stop.is_set():
                await self._step()
        finally:
            await self._consumer.stop()

    async def _step(self) -> None:
        for number in [number for number, at in self._to_open.items() if at <= self._clock()]:
            await self._open(number)
        fetched = await self._consumer.getmany(timeout_ms=READ_MS, max_records=RECORDS_MAX)
        for place, rows in fetched.items():
            await self._take(place.partition, rows)
        for number, found in list(self._logs.items()):
            await self._sign_if_due(number)
            self._metrics.waiting.labels(str(number)).set(found.waiting)

    async def _take(self, number: int, rows: Iterable[Any]) -> None:
        """Give records to their log. What a log refuses is looked into at once: the partition is opened anew."""
        try:
            for row in rows:
                if (found := self._logs.get(number)) is None:
                    return
                found.take(row.offset, row.value, self._clock())
                await self._sign_if_due(number)
        except RefusedError as fault:
            log.warning("log_does_not_agree", partition=number, why=fault.why, detail=fault.detail)
            if number in self._doubted:
                await self._refuse(number, fault)
            else:
                self._doubted.add(number)
                self._reopen(number)

    # -- signing

    async def _sign_if_due(self, number: int) -> None:
        found = self._logs.get(number)
        if found is None or not found.due(self._clock(), self._settings.records_max, self._settings.seconds):
            return
        with self._metrics.seconds.time():
            try:
                await self._sign(number, found)
            except (CommitFailedError, IllegalStateError):
                log.info("partition_lost", partition=number)  # somebody else signs from here on
                self._reopen(number)

    async def _sign(self, number: int, found: Log) -> None:
        """Intent first, then the signature. Raises CommitFailedError when the partition is ours no more."""
        draft, at, key = found.draft(), self._now(), self._signer.origin(number)
        head = tree_head(key, draft.size, draft.root, found.base_offset, at)
        await self._consumer.commit({TopicPartition(self._topics.audit, number): entry(found, key)})
        note = self._signer.signed(number, head)
        await asyncio.to_thread(self._book.write, key, Page(pending=note))
        record = checkpoint_record(
            head,
            note,
            topic=self._topics.audit,
            partition=number,
            base_offset=found.base_offset,
            leaves=draft.leaves,
            at=at,
        )
        value = checkpoint_value(record)
        place = number % self._places
        await self._outlet.send([Outgoing(self._topics.checkpoints, place, checkpoint_key(record), value)])
        await asyncio.to_thread(self._book.write, key, Page(note))
        self._signed(number, found, draft, record)

    def _signed(self, number: int, found: Log, draft: Draft, record: CheckpointRecord) -> None:
        if self._logs.get(number) is not found:
            return  # opened anew meanwhile: the new one has read this checkpoint back, or will
        found.signed(draft)
        self._doubted.discard(number)
        self.heads[number] = record
        label = str(number)
        self._metrics.signed.labels(label).inc()
        self._metrics.leaves.labels(label).inc(len(draft.leaves))
        self._metrics.size.labels(label).set(draft.size)
        self._metrics.last.labels(label).set(record["at"] / 1_000_000)

    # -- opening and refusing

    async def _open(self, number: int) -> None:
        """Open a partition's log, and read on from there. Raises KafkaError, OSError and TimeoutError."""
        self._to_open.pop(number, None)
        place = TopicPartition(self._topics.audit, number)
        try:
            found = await self._opener.open(number, doubting=number in self._doubted)
        except RefusedError as fault:
            await self._refuse(number, fault)
            return
        if place not in self._consumer.assignment():
            return
        if found.before:
            before = (self._signer.origin(number), number, found.log.base_offset, found.before)
            await self._tell(begun(*before, self._now()))
        self._logs[number] = found.log
        if found.head is not None:
            self.heads[number] = found.head
        if self.refusals.pop(number, None) is not None:
            log.info("log_agrees_again", partition=number)
        self._metrics.refused.labels(str(number)).set(0)
        self._to_open[number] = self._clock() + self._settings.recheck_seconds
        self._consumer.seek(place, found.log.position)
        self._consumer.resume(place)

    async def _refuse(self, number: int, fault: RefusedError) -> None:
        self._drop(number)
        place = TopicPartition(self._topics.audit, number)
        if place in self._consumer.assignment():
            self._consumer.pause(place)
        log.error("checkpoint_refused", partition=number, why=fault.why, detail=fault.detail)
        self.refusals[number] = fault
        self._metrics.refused.labels(str(number)).set(1)
        self._to_open[number] = self._clock() + self._settings.recheck_seconds
        await self._tell(refused(self._signer.origin(number), number, fault, self._now()))

    async def _tell(self, finding: FindingRecord) -> None:
        row = Outgoing(self._topics.findings, 0, finding["rule"].encode(), finding_value(finding))
        await self._outlet.send([row])

    def _reopen(self, number: int) -> None:
        self._drop(number)
        place = TopicPartition(self._topics.audit, number)
        if place in self._consumer.assignment():
            self._consumer.pause(place)
            self._to_open[number] = self._clock()

    def _drop(self, number: int) -> None:
        self._logs.pop(number, None)
        self.heads.pop(number, None)

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    # -- the group

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget what may go to another worker: it reads back what was signed, as we do when it comes again."""
        self._assigned = False
        for place in revoked:
            self._drop(place.partition)
            self._to_open.pop(place.partition, None)
            if self.refusals.pop(place.partition, None) is not None:
                self._metrics.refused.labels(str(place.partition)).set(0)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing is read before a log is open."""
        for place in assigned:
            self._consumer.pause(place)
            self._to_open[place.partition] = self._clock()
        self._assigned = True
