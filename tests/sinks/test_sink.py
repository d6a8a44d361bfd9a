"""The sink's loop on a real broker and a real store, in this process: outages, rebalances, schemas."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from clickhouse_connect.driver.client import Client

from schemas.codec import Codec, load_schema
from schemas.kafka import KafkaAddress
from sinks.clickhouse import StoreAwayError, StoreThread
from sinks.journal import BatchRange
from sinks.metrics import SinkMetrics
from sinks.settings import SinkSettings
from sinks.sink import Sink
from sinks.tables import Target, findings_target, frames_target
from tests.sinks.conftest import PARTITIONS, Topics
from tests.sinks.records import Trail, sink_topics
from tests.sinks.shared_store import Store


def settings_for(store: Store, topics: Topics, **changes: Any) -> SinkSettings:
    assert store.address.data_dir is not None
    settings = SinkSettings(
        clickhouse=store.address,
        data_dir=store.address.data_dir,
        group=f"{topics.prefix}-sink",
        instance="",
        topics=sink_topics(topics.prefix),
    )
    return replace(settings, **changes)


class Running:
    """A sink and what to look at."""

    def __init__(self, sink: Sink, metrics: SinkMetrics) -> None:
        self.sink = sink
        self.metrics = metrics

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"sluicegate_sink_{name}", labels) or 0.0

    async def until(self, fact: Callable[[], bool], seconds: float = 90) -> None:
        async with asyncio.timeout(seconds):
            while not fact():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def sinking(
    settings: SinkSettings,
    topics: Topics,
    *,
    connect: Callable[[], Client] | None = None,
    targets: list[Target] | None = None,
) -> AsyncIterator[Running]:
    thread = StoreThread(connect or (lambda: settings.clickhouse.connect({"async_insert": 0})), "test-store")
    metrics = SinkMetrics()
    sink = Sink(settings, KafkaAddress(topics.bootstrap, embedded=True), thread, metrics, targets)
    task = asyncio.create_task(sink.run())
    try:
        yield Running(sink, metrics)
    finally:
        sink.stop()
        await task
        await thread.close()


def stored(store: Store, prefix: str) -> tuple[int, int]:
    """(rows, different frames) in the table of the lanes that begin with `prefix`."""
    sql = "SELECT count(), uniqExact(lane, lane_seq) FROM audit.frames_stored WHERE startsWith(lane, {p:String})"
    rows, frames = store.client.query(sql, {"p": prefix}).result_rows[0]
    return int(rows), int(frames)


async def test_a_store_that_is_away_is_waited_for_and_nothing_is_committed_meanwhile(
    store: Store, kafka_topics: Topics
) -> None:
    lane, away = f"away-{uuid4()}", asyncio.Event()

    def connect() -> Client:
        if away.is_set():
            raise StoreAwayError("the store is switched off")
        return store.address.connect({"async_insert": 0})

    away.set()
    trail = Trail(lane=lane)
    async with sinking(settings_for(store, kafka_topics), kafka_topics, connect=connect) as running:
        await running.until(lambda: "switched off" in running.sink.fault)
        await kafka_topics.audit(0, *(trail.frame() for _ in range(50)))
        running.sink.observe()
        assert running.counted("ready") == 0
        assert stored(store, lane) == (0, 0)
        away.clear()
        await running.until(lambda: stored(store, lane) == (50, 50))
        await running.until(lambda: running.sink.fault == "")


async def test_an_insert_whose_answer_was_lost_is_repeated_without_doubling_a_row(
    store: Store, kafka_topics: Topics
) -> None:
    trail, answers = Trail(lane=f"lost-{uuid4()}"), iter([StoreAwayError("the answer was lost")] * 2)
    settings = settings_for(store, kafka_topics)

    class Forgetful(StoreThread):
        async def call(self, work: Any) -> Any:
            result = await super().call(work)
            if isinstance(result, list) and (lost := next(answers, None)):
                raise lost
            return result

    thread, metrics = (
        Forgetful(lambda: store.address.connect({"async_insert": 0}), "forgetful"),
        SinkMetrics(),
    )
    sink = Sink(settings, KafkaAddress(kafka_topics.bootstrap, embedded=True), thread, metrics)
    task = asyncio.create_task(sink.run())
    running = Running(sink, metrics)
    await kafka_topics.audit(2, *(trail.frame() for _ in range(30)))

    await running.until(lambda: running.counted("rows_stored_total", table="frames_stored") == 30)
    sink.stop()
    await task
    await thread.close()

    assert stored(store, trail.lane) == (30, 30)


async def test_partitions_that_move_between_sinks_lose_and_double_nothing(
    store: Store, kafka_topics: Topics
) -> None:
    run = f"moves-{uuid4()}"
    now = time.time_ns() // 1_000
    trails = [Trail(lane=f"{run}/{part}", partition=part, started_us=now) for part in range(PARTITIONS)]
    settings = settings_for(store, kafka_topics, rows_max=200)

    async def flow(rounds: int) -> None:
        for _ in range(rounds):
            for trail in trails:
                fresh = [trail.frame() for _ in range(25)]
                await kafka_topics.audit(trail.partition, *fresh, *fresh[:3])

    async with sinking(settings, kafka_topics) as first:
        await flow(4)
        await first.until(lambda: stored(store, run)[1] > 0)
        async with sinking(settings, kafka_topics) as second:
            await asyncio.gather(flow(8), second.until(lambda: second.sink.fault == ""))
            await flow(4)
            moved = lambda: second.counted("rows_stored_total", table="frames_stored") > 0  # noqa: E731
            await second.until(moved)
        await flow(4)
        total = sum(len(trail.values) for trail in trails)
        await first.until(lambda: stored(store, run) == (total, total))


async def test_values_of_two_schemas_are_stored_side_by_side(store: Store, kafka_topics: Topics) -> None:
    newer, older = load_schema("audit"), load_schema("audit")
    newer["fields"].insert(-1, {"name": "colour", "type": "string", "default": "", "doc": "A later field."})
    older["fields"] = [field for field in older["fields"] if field["name"] != "sse_event_id"]
    trail, topics = Trail(lane=f"schemas-{uuid4()}"), settings_for(store, kafka_topics).topics
    now = Codec(load_schema("audit"))
    values = [trail.frame(sse_event_id="7") for _ in range(3)]
    written = [
        values[0],
        Codec(newer).encode({**now.decode(values[1]), "colour": "red"}),
        Codec(older).encode(now.decode(values[2])),
    ]
    targets = [
        frames_target(topics.audit, [load_schema("audit"), newer, older]),
        findings_target(topics.findings),
    ]

    async with sinking(settings_for(store, kafka_topics), kafka_topics, targets=targets) as running:
        await kafka_topics.audit(1, *written)
        await running.until(lambda: stored(store, trail.lane) == (3, 3))

    sql = (
        "SELECT lane_seq, sse_event_id, schema_fingerprint FROM audit.frames_stored"
        " WHERE lane = {l:String} ORDER BY lane_seq"
    )
    rows = store.client.query(sql, {"l": trail.lane}).result_rows
    assert [row[:2] for row in rows] == [(1, "7"), (2, "7"), (3, "")]
    assert len({row[2] for row in rows}) == 3


async def test_a_backlog_is_worked_off_in_batches_within_the_limit(
    store: Store, kafka_topics: Topics
) -> None:
    trail = Trail(lane=f"backlog-{uuid4()}")
    await kafka_topics.audit(0, *(trail.frame() for _ in range(1_000)))

    async with sinking(settings_for(store, kafka_topics, rows_max=300), kafka_topics) as running:
        await running.until(lambda: stored(store, trail.lane) == (1_000, 1_000))
        await running.until(lambda: running.counted("rows_stored_total", table="frames_stored") == 1_000)
        assert running.counted("batch_rows_count") == running.counted("batch_rows_bucket", le="500.0") >= 4
        running.sink.observe()
        assert running.counted("lag_records", topic=f"{kafka_topics.prefix}-audit", partition="0") == 0


async def test_what_was_fetched_with_a_batch_in_doubt_is_stored_though_nothing_comes_after_it(
    store: Store, kafka_topics: Topics
) -> None:
    trail, settings = Trail(lane=f"doubt-{uuid4()}"), settings_for(store, kafka_topics)
    await kafka_topics.audit(1, *(trail.frame() for _ in range(100)))
    await _left_in_doubt(settings, kafka_topics, BatchRange(settings.topics.audit, {1: (0, 9)}))

    async with sinking(settings, kafka_topics) as running:
        await running.until(lambda: running.counted("batches_replayed_total") == 1)
        await running.until(lambda: running.counted("rows_stored_total", table="frames_stored") == 100)
    assert stored(store, trail.lane) == (100, 100)


async def _left_in_doubt(settings: SinkSettings, topics: Topics, batch: BatchRange) -> None:
    """The journal of a sink that was killed before it knew whether `batch` is stored."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=topics.bootstrap, group_id=settings.group, enable_auto_commit=False
    )
    entries = {
        TopicPartition(batch.topic, partition): OffsetAndMetadata(first, batch.metadata())
        for partition, (first, _last) in batch.ranges.items()
    }
    await consumer.start()
    try:
        consumer.assign(list(entries))
        await consumer.commit(entries)
    finally:
        await consumer.stop()
