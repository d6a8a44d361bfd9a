"""The Kafka side of the sink: fetching in batches, committed positions with the journal, changes of assignment."""

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata

from schemas.clients import start_client
from schemas.kafka import MAX_MESSAGE_BYTES, KafkaAddress
from sinks.settings import SinkSettings

Committed = Mapping[TopicPartition, tuple[int, str]]

_FETCH_BYTES_MIN = 2 * 1024 * 1024
_REBALANCE_MS = 60_000  # a batch under way is finished first
_COMMIT_S = 10.0
_ONE_DAY_MS = 86_400_000


class Partitions(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Which partitions are ours. `epoch` grows whenever they are taken away; `busy` is held through a batch."""

    def __init__(self) -> None:
        self.epoch = 0
        self.leaving = asyncio.Event()
        self.busy = asyncio.Lock()
        self.held = False
        self._stopped = False

    def stop(self) -> None:
        """We leave for good."""
        self._stopped = True
        self.leaving.set()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        """Partitions go: what is under way is finished or abandoned before this returns."""
        self.leaving.set()
        async with self.busy:
            self.epoch += 1
            self.held = False

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # noqa: ARG002
        """Partitions came; `held` stays false until the sink has read where they stand."""
        if not self._stopped:
            self.leaving.clear()


class SinkConsumer:
    """A consumer of the sink's group that is told by offset what is stored; never commits by itself."""

    def __init__(self, settings: SinkSettings, address: KafkaAddress) -> None:
        self._settings = settings
        self._address = address
        self.partitions = Partitions()
        self._consumer = AIOKafkaConsumer(
            **address.client_options(),
            group_id=settings.group,
            group_instance_id=settings.member or None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_min_bytes=_FETCH_BYTES_MIN,
            fetch_max_wait_ms=settings.linger_ms,  # the broker lingers, and idle costs one request
            fetch_max_bytes=2 * settings.bytes_max,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES + 1024 * 1024,
            rebalance_timeout_ms=_REBALANCE_MS,
            max_poll_interval_ms=_ONE_DAY_MS,  # a store that is away must not cost us the partitions
        )

    async def start(self) -> None:
        """Joins the group. Raises KafkaError when no broker answers."""
        await start_client(self._consumer)
        self._consumer.subscribe(list(self._settings.topics.stored), listener=self.partitions)

    async def stop(self) -> None:
        """Leaves the group."""
        await self._consumer.stop()

    def assignment(self) -> set[TopicPartition]:
        """The partitions that are ours now."""
        return set(self._consumer.assignment())

    async def fetch(self, wait_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """What has come, after at most `wait_ms` milliseconds."""
        rows = self._settings.rows_max
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
            timeout_ms=wait_ms, max_records=rows
        )
        return fetched

    async def committed(self, partitions: Iterable[TopicPartition]) -> Committed:
        """(offset, metadata) of each of `partitions` that has been committed."""
        wanted = list(partitions)
        if not wanted:
            return {}
        admin = AIOKafkaAdminClient(**self._address.client_options())
        await start_client(admin)
        try:
            found = await admin.list_consumer_group_offsets(self._settings.group, partitions=wanted)
        finally:
            await admin.close()
        return {tp: (entry.offset, entry.metadata or "") for tp, entry in found.items() if entry.offset >= 0}

    async def go_to(self, partitions: Iterable[TopicPartition], committed: Committed) -> None:
        """Fetching goes on from the committed offsets, or from the beginning where there is none."""
        for partition in partitions:
            if partition in committed:
                self._consumer.seek(partition, committed[partition][0])
            else:
                await self._consumer.seek_to_beginning(partition)

    async def commit(self, positions: Committed) -> None:
        """Commits (offset, metadata) of each partition.

        Raises CommitFailedError when they are ours no more, TimeoutError when no broker answers.
        """
        if positions:
            async with asyncio.timeout(_COMMIT_S):
                await self._consumer.commit(
                    {tp: OffsetAndMetadata(*entry) for tp, entry in positions.items()}
                )

    def only(self, partitions: Iterable[TopicPartition]) -> None:
        """Fetches from `partitions` alone."""
        wanted = set(partitions)
        self._consumer.pause(*(self.assignment() - wanted))
        self._consumer.resume(*wanted)

    def all(self) -> None:
        """Fetches from every partition again."""
        self._consumer.resume(*self.assignment())

    async def has_passed(self, partition: TopicPartition, offset: int) -> bool:
        """Whether the record at `offset` has been fetched, or no longer exists."""
        position = await self._consumer.position(partition)
        end = self._consumer.highwater(partition)
        return position > offset or (end is not None and position >= end)

    def lag(self, done: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Records on each partition behind the offsets in `done`, as of the last fetch."""
        ends = {tp: self._consumer.highwater(tp) for tp in self.assignment() if tp in done}
        return {tp: max(0, end - done[tp]) for tp, end in ends.items() if end is not None}
