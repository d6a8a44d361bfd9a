"""Topics of one test, checkpointers over them in this process, and ways to look at and to harm what they wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError

from processors.checkpoints.settings import CheckpointSettings, CheckpointTopics
from processors.checkpoints.worker import run_until
from schemas.checkpoints import CheckpointRecord, leaf_of, leaves_of, open_checkpoint, origin_of
from schemas.findings import FindingRecord, open_finding
from schemas.kafka import KafkaAddress
from schemas.notes import NoteKey

SEED = bytes(range(32))
NAME = "log.example.com"


@dataclass
class Running:
    """A checkpointer that runs, and its probes."""

    task: asyncio.Task[None]
    stop: asyncio.Event
    port_file: Path
    _session: aiohttp.ClientSession = field(repr=False)

    async def page(self, path: str) -> tuple[int, str]:
        """(status, text) of a probe."""
        async with self._session.get(
            f"http://127.0.0.1:{self.port_file.read_text().strip()}{path}"
        ) as answer:
            return answer.status, await answer.text()

    async def ready(self) -> tuple[int, str]:
        """(status, text) of /readyz."""
        return await self.page("/readyz")


@dataclass
class Deployment:
    """One Kafka, one set of topics, one folder."""

    kafka: KafkaAddress
    settings: CheckpointSettings
    producer: AIOKafkaProducer
    admin: AIOKafkaAdminClient

    @property
    def topics(self) -> CheckpointTopics:
        return self.settings.topics

    def origin(self, partition: int = 0) -> str:
        return origin_of(NAME, self.topics.audit, partition)

    def key(self, partition: int = 0) -> NoteKey:
        return NoteKey(self.origin(partition), SEED)

    async def put(self, *values: bytes, partition: int = 0) -> None:
        """Records of `audit`, acknowledged."""
        sent = [await self.producer.send(self.topics.audit, value, partition=partition) for value in values]
        await asyncio.gather(*sent)

    @asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[Running]:
        """A checkpointer; it has to end well."""
        port_file = self.settings.folder.parent / f"{uuid4().hex}.port"
        settings = replace(self.settings, port_file=port_file, **changes)
        stop = asyncio.Event()
        task = asyncio.create_task(run_until(stop, settings, self.kafka))
        async with aiohttp.ClientSession() as session:
            running = Running(task, stop, port_file, session)
            try:
                await until(lambda: port_file.exists() or task.done())
                yield running
            finally:
                stop.set()
                await task

    async def rows(self, topic: str) -> list[tuple[int, int, bytes]]:
        """(partition, offset, value) of all records of a topic."""
        consumer = AIOKafkaConsumer(enable_auto_commit=False, **self.kafka.client_options())
        await consumer.start()
        try:
            places = [TopicPartition(topic, part["partition"]) for part in await self._described(topic)]
            ends = await consumer.end_offsets(places)
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            found: list[tuple[int, int, bytes]] = []
            while any([await consumer.position(place) < ends[place] for place in places]):
                for rows in (await consumer.getmany(timeout_ms=200)).values():
                    found += [(row.partition, row.offset, row.value) for row in rows]
            return found
        finally:
            await consumer.stop()

    async def records(self, partition: int = 0) -> list[CheckpointRecord]:
        """What is on topic `checkpoints` about a partition, in order."""
        rows = await self.rows(self.topics.checkpoints)
        found = [open_checkpoint(value) for number, _, value in rows if number == partition]
        return [record for record in found if record["origin"] == self.origin(partition)]

    async def signed(self, partition: int = 0) -> list[CheckpointRecord]:
        """Checkpoints without anchors."""
        return [record for record in await self.records(partition) if record["kind"] == "checkpoint"]

    async def size(self, partition: int = 0) -> int:
        """Leaves of the largest signed tree."""
        return max((record["tree_size"] for record in await self.signed(partition)), default=0)

    async def until_signed(self, size: int, partition: int = 0) -> None:
        """Wait for a tree of so many leaves."""
        async with asyncio.timeout(60):
            while await self.size(partition) < size:
                await asyncio.sleep(0.05)

    async def findings(self) -> list[FindingRecord]:
        """All findings."""
        return [open_finding(value) for _, _, value in await self.rows(self.topics.findings)]

    async def until_refused(self, running: Running, why: str) -> None:
        """Wait until /readyz says why nothing is signed."""
        async with asyncio.timeout(60):
            while f": {why}: " not in (await running.ready())[1]:
                await asyncio.sleep(0.05)

    async def make(self, topic: str, partitions: int = 2) -> None:
        """Make a topic; where it was just deleted, as soon as that is done."""
        async with asyncio.timeout(60):
            while True:
                answer = await self.admin.create_topics([NewTopic(topic, partitions, 1)])
                if {entry[1] for entry in answer.topic_errors} == {0}:
                    break
                await asyncio.sleep(0.05)
            while {part["error_code"] for part in await self._described(topic)} != {0}:
                await asyncio.sleep(0.05)

    async def _described(self, topic: str) -> list[dict[str, Any]]:
        (found,) = await self.admin.describe_topics([topic])
        return list(found["partitions"]) or [{"error_code": -1}]

    async def make_anew(self, topic: str) -> None:
        """Delete a topic with all its records, and make it again."""
        await self.admin.delete_topics([topic])
        await self.make(topic)

    async def forget_before(self, offset: int, partition: int = 0) -> None:
        """As retention does: the records of `audit` before `offset` are gone."""
        place = TopicPartition(self.topics.audit, partition)
        await self.admin.delete_records({place: RecordsToDelete(before_offset=offset)})


@asynccontextmanager
async def deployed(kafka: KafkaAddress, folder: Path) -> AsyncIterator[Deployment]:
    """Fresh topics of two partitions."""
    prefix = f"proof-{uuid4().hex[:8]}"
    topics = CheckpointTopics(
        f"{prefix}-audit", f"{prefix}-checkpoints", f"{prefix}-findings", f"{prefix}-group"
    )
    settings = CheckpointSettings(
        folder / "proof", SEED, NAME, topics=topics, seconds=0.05, settle_seconds=0.5, reread=20
    )
    settings.folder.mkdir()
    admin = AIOKafkaAdminClient(**kafka.client_options())
    producer = AIOKafkaProducer(acks="all", linger_ms=1, **kafka.client_options())
    deployment = Deployment(kafka, settings, producer, admin)
    try:
        await admin.start()
        await producer.start()
        for name in (topics.audit, topics.checkpoints):
            await deployment.make(name)
        await deployment.make(topics.findings, 1)
        yield deployment
    finally:
        await producer.stop()
        await admin.close()


async def until(fact: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a fact."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.02)


def leaves(values: Sequence[bytes]) -> list[bytes]:
    """The leaf hashes of records."""
    return [leaf_of(value) for value in values]


def all_leaves(records: Sequence[CheckpointRecord]) -> list[bytes]:
    """The leaves of checkpoints, each once."""
    found: list[bytes] = []
    for record in records:
        found += leaves_of(record)[len(found) - record["first_index"] :]
    return found


KAFKA_AWAY = KafkaError
