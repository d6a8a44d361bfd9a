"""A real store with a database of its own for each test, real topics, and a sink that stores what lies on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from clickhouse_connect.driver.client import Client

from schemas.kafka import KafkaAddress
from schemas.retention import RetentionAct, act_value
from schemas.retention_rules import DAY_US, Rules, Terms
from schemas.signatures import SigningKey
from schemas.tombstones import Tombstone, signed_tombstone, tombstone_id, tombstone_value
from sinks.clickhouse import StoreThread
from sinks.metrics import SinkMetrics
from sinks.migrate import migrate
from sinks.retention.job import Forgetter, Report
from sinks.retention.settings import RetentionSettings
from sinks.retention.store import Frames
from sinks.settings import SinkSettings, SinkTopics
from sinks.sink import Sink
from tests.retention.acts import STORE, TRUSTED
from tests.sinks.filling import fill
from tests.sinks.records import Trail, sink_topics
from tests.sinks.shared_store import Store, embedded_store

NOW = time.time_ns() // 1_000
TABLES = (
    "frames_stored",
    "tombstones_stored",
    "tombstones_applied",
    "exchanges_index",
    "redactions_index",
    "approvals_requested_stored",
    "finding_acts_stored",
    "sealed_stored",
    "alerts_stored",
)
ERASURE_KEY = b"e" * 32
EVER = Rules()
YEAR = Rules(Terms(400, 30), {"short": Terms(30)}, 7)


class OwnDatabase:
    """The address of the shared store with another database: a sink of one test stores there."""

    embedded = True

    def __init__(self, store: Store, database: str) -> None:
        self.address, self.database = store.address, database

    def connect(self, settings: dict[str, Any] | None = None) -> Client:
        return self.address.connect(settings)


@dataclass
class Deployment:
    """One store and its topics; the clock stands at `now`."""

    client: Client
    database: str
    topics: SinkTopics
    kafka: KafkaAddress
    producer: AIOKafkaProducer
    thread: StoreThread
    now: int = NOW
    offset: dict[int, int] = field(default_factory=dict)

    @property
    def frames(self) -> Frames:
        return Frames(self.client, self.database)

    def frame(self, days: float, body: bytes = b'{"a":1}', partition: int = 0, **facts: Any) -> int:
        """Stores a frame that was recorded so many days ago; its offset."""
        trail = Trail(lane=f"lane/{uuid4()}", started_us=self.now - int(days * DAY_US))
        at = self.offset.get(partition, 0)
        self.offset[partition] = at + 1
        values = [trail.frame(body, **facts)]
        assert not fill(self.client, values, partition=partition, first=at, database=self.database)
        return at

    def rows(self, what: str, where: str = "1") -> list[Any]:
        found = self.client.query(
            f"SELECT {what} FROM {self.database}.frames_stored WHERE {where} ORDER BY k_partition, k_offset"
        ).result_rows
        return [row[0] if len(row) == 1 else row for row in found]

    def offsets(self) -> list[int]:
        """Of the rows that are there once what may go has gone."""
        self.client.command(f"OPTIMIZE TABLE {self.database}.frames_stored FINAL")
        return self.rows("k_offset")

    def tombstones(self, what: str = "what, why, partition, first_offset, last_offset") -> list[Any]:
        sql = f"SELECT {what} FROM {self.database}.tombstones_stored FINAL ORDER BY partition, first_offset, what"
        return list(self.client.query(sql).result_rows)

    def frames_of_tombstones(self) -> list[Tombstone]:
        """The stored tombstones, whole."""
        self.client.command(f"TRUNCATE TABLE {self.database}.tombstones_applied")
        return self.frames.open_tombstones()

    async def say(self, *acts: RetentionAct) -> None:
        """Puts acts onto the topic."""
        for act in acts:
            key = act["proposal_id"].encode()
            await self.producer.send_and_wait(self.topics.retention, act_value(act), key=key)

    async def write(self, *tombstones: Tombstone) -> None:
        """Puts tombstones onto the topic."""
        for each in tombstones:
            await self.producer.send_and_wait(self.topics.tombstones, tombstone_value(each))

    def forgetter(self, rules: Rules = EVER, **changes: Any) -> Forgetter:
        settings = RetentionSettings(
            rules,
            STORE,
            TRUSTED,
            ERASURE_KEY,
            **{"people": (("https://idp|ann", "terminal:ann@host"),), "stored_seconds": 30.0, **changes},
        )
        return Forgetter(
            settings,
            self.kafka,
            self.thread,
            database=self.database,
            topics=self.topics,
            now=lambda: self.now,
        )

    async def round(self, rules: Rules = EVER, **changes: Any) -> Report:
        return await self.forgetter(rules, **changes).round()

    @asynccontextmanager
    async def sinking(self) -> AsyncIterator[None]:
        """A sink stores what lies on the topics while the block lasts."""
        store = embedded_store()
        assert store.address.data_dir is not None
        settings = SinkSettings(
            clickhouse=OwnDatabase(store, self.database),  # type: ignore[arg-type]
            data_dir=Path(store.address.data_dir),
            group=f"{self.database}-sink",
            instance="",
            topics=self.topics,
        )
        thread = StoreThread(lambda: store.address.connect({"async_insert": 0}), "test-sink")
        sink = Sink(settings, self.kafka, thread, SinkMetrics())
        task = asyncio.create_task(sink.run())
        try:
            yield
        finally:
            sink.stop()
            await task
            await thread.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def standing(broker: str) -> AsyncIterator[Deployment]:
    """One deployment for these tests, whose sink runs."""
    database = f"r{uuid4().hex[:10]}"
    store = embedded_store()
    migrate(store.client, database)
    topics = sink_topics(database)
    await created(broker, {*topics.stored, topics.dead_letters})
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    thread = StoreThread(lambda: store.address.connect({"async_insert": 0}), "test-retention")
    kafka = KafkaAddress(broker, embedded=True)
    found = Deployment(store.client, database, topics, kafka, producer, thread)
    try:
        async with found.sinking():
            yield found
    finally:
        await producer.stop()
        await thread.close()
        store.client.command(f"DROP DATABASE {database} SYNC")


@pytest_asyncio.fixture(loop_scope="package")
async def deployment(standing: Deployment) -> Deployment:
    """The same with nothing stored, nothing said, and the clock right."""
    for table in TABLES:
        standing.client.command(f"TRUNCATE TABLE {standing.database}.{table}")
    said_anew = f"{standing.database}-retention-{uuid4().hex[:8]}"
    await created(standing.kafka.bootstrap, {said_anew})
    topics = replace(standing.topics, retention=said_anew)
    return replace(standing, topics=topics, now=time.time_ns() // 1_000, offset={})


async def created(bootstrap: str, names: Iterable[str]) -> None:
    """Makes topics of one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    finally:
        await admin.close()


def tombstone(key: bytes, first: int, last: int, **facts: Any) -> Tombstone:
    """A tombstone of offsets in partition 0, signed with this seed."""
    fields = {
        "at": NOW,
        "what": "row",
        "why": "expired",
        "connection": "demo",
        "partition": 0,
        "first_offset": first,
        "last_offset": last,
        "count": last - first + 1,
        "leaves_sha256": bytes(32),
        "policy_version": "",
        "cause": "",
        "asked_by": [],
        **facts,
    }
    return signed_tombstone({"tombstone_id": tombstone_id(fields), **fields}, SigningKey(key))
