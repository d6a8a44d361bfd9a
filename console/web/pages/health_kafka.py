"""How far behind each part is, as Kafka knows it: committed offsets beside the ends of topics, and signed tree heads.

What Kafka does not say is None, and shown as not known.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processors.kafka_view import KafkaView
from schemas.checkpoints import TOPIC as CHECKPOINTS
from schemas.checkpoints import CheckpointRecord, open_checkpoint
from schemas.clients import let_go, start_client
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress

ASK_SECONDS = 8.0
AUDIT = "audit"
BACK_RECORDS = 32  # anchors lie among checkpoints

READERS: tuple[tuple[str, str, str], ...] = (
    ("masking", "sluicegate-masking", "frames"),
    ("completeness", "sluicegate-completeness", "frames"),
    ("store", "sluicegate-sink", "audit"),
    ("store", "sluicegate-sink", "findings"),
    ("store", "sluicegate-sink", "admin"),
    ("anomalies", "sluicegate-anomaly", "audit"),
    ("approvals", "sluicegate-approvals", "approvals.requested"),
    ("approvals", "sluicegate-approvals", "approvals.decided"),
    ("alerts", "sluicegate-alerts", "findings"),
)
"""(part, its group, a topic that it reads)."""


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of `topic` that `part` has not finished; None where it has never said how far it is."""

    part: str
    topic: str
    records: int | None


@dataclass(frozen=True, slots=True)
class Signed:
    """The newest signed tree head of a partition of `audit`, `age_seconds` ago, and the records behind it."""

    partition: int
    age_seconds: float
    size: int
    unsigned: int


@dataclass(frozen=True, slots=True)
class KafkaHealth:
    """`fault`: why nothing is known; ''. `signed` is empty where nothing was signed yet."""

    fault: str
    lags: tuple[Lag, ...] = ()
    signed: tuple[Signed, ...] = ()


async def ask_kafka(kafka: KafkaAddress, checkpoints: str = CHECKPOINTS) -> KafkaHealth:
    """What the cluster says now, within some seconds; `checkpoints` is the topic of tree heads."""
    try:
        async with asyncio.timeout(ASK_SECONDS), KafkaView(kafka) as view:
            ends = {topic: await _ends(view, topic) for topic in {topic for *_, topic in READERS}}
            lags = [await _lag(view, reader, ends) for reader in READERS]
            heads = await _heads(kafka, checkpoints, await _ends(view, checkpoints))
    except (KafkaError, OSError) as error:  # TimeoutError is an OSError
        return KafkaHealth(f"Kafka at {kafka.bootstrap} does not answer: {type(error).__name__}")
    return KafkaHealth("", tuple(lags), tuple(_signed(heads, ends[AUDIT], time.time())))


async def _ends(view: KafkaView, topic: str) -> dict[int, int]:
    return await view.ends(topic, await view.partitions(topic))


async def _lag(view: KafkaView, reader: tuple[str, str, str], ends: Mapping[str, Mapping[int, int]]) -> Lag:
    part, group, topic = reader
    committed = await view.committed(group, topic)
    lacking = [number for number, end in ends[topic].items() if end and number not in committed]
    if lacking or not ends[topic]:
        return Lag(part, topic, None)
    return Lag(
        part,
        topic,
        sum(max(0, end - committed[n].offset) for n, end in ends[topic].items() if n in committed),
    )


async def _heads(kafka: KafkaAddress, topic: str, ends: Mapping[int, int]) -> list[CheckpointRecord]:
    """The newest checkpoint of each partition that has one among its last records."""
    places = {TopicPartition(topic, number): end for number, end in ends.items() if end}
    if not places:
        return []
    consumer = AIOKafkaConsumer(
        **kafka.client_options(), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    found: dict[int, CheckpointRecord] = {}
    try:
        await start_client(consumer)
        consumer.assign(list(places))
        for place, end in places.items():
            consumer.seek(place, max(0, end - BACK_RECORDS))
        while any([await consumer.position(place) < end for place, end in places.items()]):
            for place, rows in (await consumer.getmany(timeout_ms=500)).items():
                for record in _checkpoints(row.value for row in rows):
                    found[place.partition] = record
    finally:
        await let_go(consumer)
    return list(found.values())


def _checkpoints(values: Iterable[bytes | None]) -> Iterable[CheckpointRecord]:
    for value in values:
        try:
            record = open_checkpoint(value)
        except CodecError:
            continue  # whoever verifies says so; here it is only about how old the newest is
        if record["kind"] == "checkpoint":
            yield record


def _signed(heads: Iterable[CheckpointRecord], ends: Mapping[int, int], now: float) -> Iterable[Signed]:
    for head in sorted(heads, key=lambda each: each["partition"]):
        covered = head["base_offset"] + head["tree_size"]
        unsigned = max(0, ends.get(head["partition"], covered) - covered)
        yield Signed(head["partition"], max(0.0, now - head["at"] / 1_000_000), head["tree_size"], unsigned)
