"""All acts of topic `retention`: what people confirmed is read from its beginning, each time it is asked for."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.clients import start_client
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress
from schemas.people import People
from schemas.retention import RETENTION, RetentionAct, open_act
from schemas.retention_book import Book, book_of
from schemas.signatures import KeyRing, TrustedKey

_PLACE = 0  # the topic has one partition, so that everybody sees one order
_SECONDS = 20.0


async def read_acts(kafka: KafkaAddress, topic: str = RETENTION) -> list[RetentionAct]:
    """Every act on the topic, in its order; what is no act is left out. Raises KafkaError, TimeoutError."""
    consumer = AIOKafkaConsumer(**kafka.client_options(), group_id=None, enable_auto_commit=False)
    await start_client(consumer)
    try:
        async with asyncio.timeout(_SECONDS):
            return await _all(consumer, TopicPartition(topic, _PLACE))
    finally:
        await consumer.stop()


async def read_book(
    kafka: KafkaAddress,
    trusted: Iterable[TrustedKey],
    people: Iterable[tuple[str, ...]],
    *,
    alone: bool,
    topic: str = RETENTION,
) -> Book:
    """What holds by all acts on the topic. Raises KafkaError, TimeoutError."""
    return book_of(KeyRing(trusted), await read_acts(kafka, topic), People(people), alone=alone)


async def _all(consumer: AIOKafkaConsumer, place: TopicPartition) -> list[RetentionAct]:
    consumer.assign([place])
    await consumer.seek_to_beginning(place)
    end = (await consumer.end_offsets([place]))[place]
    found: list[RetentionAct] = []
    while await consumer.position(place) < end:
        for rows in (await consumer.getmany(place, timeout_ms=200)).values():
            found += [act for row in rows if row.offset < end and (act := _act(row.key, row.value))]
    return found


def _act(key: bytes | None, value: bytes | None) -> RetentionAct | None:
    try:
        return open_act(key, value or b"")
    except CodecError:
        return None
