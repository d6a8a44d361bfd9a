"""Reading and filling topics in tests: whole topics, group offsets, waiting for a fact."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from processors.kafka_view import KafkaView
from schemas.codec import CodecError
from schemas.findings import FindingRecord, open_finding
from schemas.kafka import KafkaAddress

POLL_SECONDS = 0.1


async def until(fact: Callable[[], Awaitable[bool]], timeout: float = 60.0) -> None:
    """Wait until `fact` holds. Raises TimeoutError."""
    async with asyncio.timeout(timeout):
        while not await fact():
            await asyncio.sleep(POLL_SECONDS)


async def create_topics(bootstrap: str, names: Iterable[str], partitions: int) -> None:
    """Create topics with one replica."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1) for name in names])
    finally:
        await admin.close()


async def delete_records(bootstrap: str, topic: str, before: dict[int, int]) -> None:
    """What retention does: drop the records of each partition before an offset."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records(
            {
                TopicPartition(topic, number): RecordsToDelete(before_offset=end)
                for number, end in before.items()
            }
        )
    finally:
        await admin.close()


async def fill(bootstrap: str, topic: str, rows: Iterable[tuple[int | None, bytes, bytes]]) -> None:
    """Send (partition or None, key, value) rows and wait until all are durable."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5)
    await producer.start()
    try:
        sends = [
            await producer.send(topic, value, key=key, partition=partition) for partition, key, value in rows
        ]
        await asyncio.gather(*sends)
    finally:
        await producer.stop()


async def read_all(bootstrap: str, topic: str, partitions: int) -> list[Any]:
    """Every record of a topic, by partition and offset."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        rows: list[Any] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=1000, max_records=20_000)).values():
                rows += batch
    finally:
        await consumer.stop()
    return sorted(rows, key=lambda row: (row.partition, row.offset))


async def lag(bootstrap: str, group: str, topic: str, partitions: int) -> int:
    """Records of the topic that the group has not committed."""
    async with KafkaView(KafkaAddress(bootstrap, embedded=True)) as view:
        committed = await view.committed(group, topic)
        ends = await view.ends(topic, list(range(partitions)))
    return sum(end - (committed[number].offset if number in committed else 0) for number, end in ends.items())


async def findings_on(bootstrap: str) -> list[FindingRecord]:
    """The findings of a broker that tests share; what others put there to be no finding is passed over."""
    found = []
    for row in await read_all(bootstrap, "findings", 1):
        with suppress(CodecError):
            found.append(open_finding(row.value))
    return found
