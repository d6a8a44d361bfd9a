"""Reads back what was signed, from topic `checkpoints`. Belongs to no group."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple, Self

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.checkpoints.refusal import RefusedError
from schemas.checkpoints import CheckpointRecord, leaves_of, open_checkpoint
from schemas.clients import start_client
from schemas.codec import CodecError
from schemas.kafka import MAX_MESSAGE_BYTES, KafkaAddress
from schemas.merkle import Frontier
from schemas.notes import VerifierKey, open_note

log = structlog.get_logger(__name__)

WINDOW = 64
STALL_SECONDS = 30.0
READ_MS = 500


class Lying(NamedTuple):
    """A record and its offset on the topic."""

    offset: int
    record: CheckpointRecord


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest checkpoints of a log, by size, and the name of another log of that partition, if there is one."""

    records: tuple[CheckpointRecord, ...] = ()
    other: str = ""

    @property
    def head(self) -> CheckpointRecord | None:
        """The one of the largest tree."""
        return self.records[-1] if self.records else None


class ReadBack:
    """A reader of the topic; an async context manager. Every call raises KafkaError or TimeoutError when Kafka is
    away."""

    def __init__(self, kafka: KafkaAddress, topic: str, places: int) -> None:
        """`topic` has `places` partitions."""
        self._topic = topic
        self._places = places
        self._consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            fetch_max_wait_ms=100,
            **kafka.client_options(),
        )
        self._one = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await start_client(self._consumer)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    def _place(self, partition: int) -> TopicPartition:
        """Where the checkpoints of `partition` of `audit` are."""
        return TopicPartition(self._topic, partition % self._places)

    async def newest(self, origin: str, topic: str, partition: int, keys: Sequence[VerifierKey]) -> Newest:
        """The checkpoints of log `origin` among the last records, as many as it takes to find one.

        Raises RefusedError when one of them is not signed by one of `keys`."""
        place = self._place(partition)
        low, end = await self._ends(place)
        window = WINDOW
        while True:
            first, other = max(low, end - window), ""
            mine: list[CheckpointRecord] = []
            for record in [each.record async for each in self._between(place, first, end)]:
                if (record["topic"], record["partition"]) != (topic, partition):
                    continue
                if record["origin"] != origin:
                    other = record["origin"]
                elif record["kind"] == "checkpoint":
                    mine.append(_trusted(record, keys))
            if mine or first == low:
                return Newest(tuple(sorted(mine, key=lambda record: record["tree_size"])), other)
            window *= 8

    async def tree(self, origin: str, partition: int, size: int, reread: int) -> list[Frontier]:
        """The tree of `size` leaves from all leaves on the topic, and before it one from `reread` leaves earlier.

        Raises RefusedError when leaves are missing there, or do not give the roots that stand beside them."""
        frontier, marks = Frontier(), [Frontier()]
        async with aclosing(self.records(origin, partition)) as records:
            async for each in records:
                if grown(frontier, each.record) and size - frontier.size >= reread:
                    marks = [frontier.copy()]
                if frontier.size >= size:
                    break
        if frontier.size != size:
            raise RefusedError("rolled-back", f"the topic has leaves for {frontier.size} of {size}")
        return [*marks, frontier]

    async def records(self, origin: str, partition: int, first: int = 0) -> AsyncGenerator[Lying]:
        """Every checkpoint of log `origin` from offset `first` on; signatures are not looked at."""
        place = self._place(partition)
        low, end = await self._ends(place)
        async with aclosing(self._between(place, max(low, first), end)) as found:
            async for each in found:
                if each.record["origin"] == origin and each.record["kind"] == "checkpoint":
                    yield each

    async def _ends(self, place: TopicPartition) -> tuple[int, int]:
        lows = await self._consumer.beginning_offsets([place])
        ends = await self._consumer.end_offsets([place])
        return lows[place], ends[place]

    async def _between(self, place: TopicPartition, first: int, end: int) -> AsyncGenerator[Lying]:
        async with self._one:
            if first >= end:
                return
            self._consumer.assign([place])
            self._consumer.seek(place, first)
            while await self._consumer.position(place) < end:
                async with asyncio.timeout(STALL_SECONDS):
                    found = await self._consumer.getmany(timeout_ms=READ_MS, max_records=500)
                for row in found.get(place, ()):
                    if row.offset < end and (record := _opened(row.offset, row.value)) is not None:
                        yield Lying(row.offset, record)


def grown(frontier: Frontier, record: CheckpointRecord) -> bool:
    """Puts the leaves of `record` that are new to `frontier` at its end; whether there were any: two owners in a row
    may have written the same ones. Raises RefusedError when leaves before them are missing or give another root."""
    if record["tree_size"] <= frontier.size:
        return False
    if record["first_index"] > frontier.size:
        raise RefusedError("rolled-back", f"the topic lacks the leaves from {frontier.size} on")
    frontier.extend(leaves_of(record)[frontier.size - record["first_index"] :])
    if frontier.root() != record["root_hash"]:
        raise RefusedError("forked", f"the leaves on the topic give another root at {frontier.size}")
    return True


def _opened(offset: int, value: bytes | None) -> CheckpointRecord | None:
    try:
        return open_checkpoint(value)
    except CodecError as error:
        reason = str(error)
    log.error("checkpoint_unreadable", offset=offset, reason=reason)
    return None


def _trusted(record: CheckpointRecord, keys: Sequence[VerifierKey]) -> CheckpointRecord:
    note = open_note(record["note"])
    if not any(key.signed(note) for key in keys):
        signers = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures)
        raise RefusedError(
            "foreign-key", f"a checkpoint of {record['tree_size']} leaves is signed by {signers}"
        )
    return record
