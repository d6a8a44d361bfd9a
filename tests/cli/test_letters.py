"""Dead letters on a real broker: listed without their records, sent back once, in order, to where they came from."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.cli.letters import LettersError, redrive, waiting

SOURCE = "findings"  # a topic of ours that no test of the stack listens to
Write = Callable[[bytes], Awaitable[None]]


def letter(value: bytes, **fields: Any) -> bytes:
    return codec("dead_letter").encode(
        {
            "topic": SOURCE,
            "partition": 0,
            "offset": 7,
            "component": "sink",
            "reason_code": "undecodable",
            "reason": "the value breaks off",
            "key": b"k",
            "value": value,
            **fields,
        }
    )


@pytest.fixture
async def address(broker: str) -> KafkaAddress:
    address = KafkaAddress(broker, embedded=True)
    await ensure_topics(address)
    return address


@pytest.fixture
async def topic(address: KafkaAddress) -> str:
    """A topic for the letters of one test."""
    name = f"dead-{uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(**address.client_options())
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    return name


@pytest.fixture
async def write(address: KafkaAddress, topic: str) -> AsyncIterator[Write]:
    producer = AIOKafkaProducer(**address.client_options())
    await producer.start()

    async def send(value: bytes) -> None:
        await producer.send_and_wait(topic, value)

    yield send
    await producer.stop()


async def end_of_source(address: KafkaAddress) -> int:
    async with AIOKafkaConsumer(**address.client_options()) as consumer:
        tp = TopicPartition(SOURCE, 0)
        return int((await consumer.end_offsets([tp]))[tp])


async def values_from(
    address: KafkaAddress, offset: int, count: int
) -> list[tuple[bytes | None, bytes | None]]:
    """(key, value) of `count` records of the source from `offset` on."""
    async with AIOKafkaConsumer(**address.client_options()) as consumer:
        tp = TopicPartition(SOURCE, 0)
        consumer.assign([tp])
        consumer.seek(tp, offset)
        return [(r.key, r.value) for r in [await consumer.getone() for _ in range(count)]]


async def test_letters_are_listed_in_order_without_their_records(
    address: KafkaAddress, topic: str, write: Write
) -> None:
    await write(letter(b"secret one"))
    await write(letter(b"two", reason_code="unknown_schema", offset=8))
    rows = [found.row() for found in await waiting(address, redriven_too=False, topic=topic)]
    assert [(row["offset"], row["source_offset"], row["reason_code"]) for row in rows] == [
        (0, 7, "undecodable"),
        (1, 8, "unknown_schema"),
    ]
    assert rows[0]["value_bytes"] == 10
    assert "secret" not in repr(rows)


async def test_no_letters_are_no_fault(address: KafkaAddress, topic: str) -> None:
    assert await waiting(address, redriven_too=True, topic=topic) == []
    assert await redrive(address, topic=topic) == (0, [])


async def test_letters_go_back_once_in_order_with_their_key(
    address: KafkaAddress, topic: str, write: Write
) -> None:
    for value in (b"one", b"two"):
        await write(letter(value))
    before = await end_of_source(address)
    assert await redrive(address, topic=topic) == (2, [])
    assert await values_from(address, before, 2) == [(b"k", b"one"), (b"k", b"two")]
    assert await redrive(address, topic=topic) == (0, [])
    assert await end_of_source(address) == before + 2
    assert await waiting(address, redriven_too=False, topic=topic) == []
    assert [found.redriven for found in await waiting(address, redriven_too=True, topic=topic)] == [
        True,
        True,
    ]


async def test_a_limit_takes_the_oldest_and_again_takes_all(
    address: KafkaAddress, topic: str, write: Write
) -> None:
    for value in (b"one", b"two", b"three"):
        await write(letter(value))
    assert (await redrive(address, limit=2, topic=topic))[0] == 2
    (left,) = await waiting(address, redriven_too=False, topic=topic)
    assert left.offset == 2
    assert (await redrive(address, again=True, topic=topic))[0] == 3
    assert await waiting(address, redriven_too=False, topic=topic) == []


async def test_what_cannot_go_back_is_told_and_stops_nothing(
    address: KafkaAddress, topic: str, write: Write
) -> None:
    await write(b"no letter at all")
    await write(letter(b""))
    await write(letter(b"x", topic="__consumer_offsets"))
    await write(letter(b"good"))
    before = await end_of_source(address)
    sent, kept = await redrive(address, topic=topic)
    assert sent == 1
    assert [found.obstacle for found in kept] == [
        "the letter itself cannot be decoded",
        "it carries no value: the record was empty, or too large for a letter",
        "it came from a topic that is not one of ours",
    ]
    assert await values_from(address, before, 1) == [(b"k", b"good")]


async def test_a_cluster_without_the_topic_is_told(address: KafkaAddress) -> None:
    with pytest.raises(LettersError, match="there is no topic"):
        await waiting(address, redriven_too=False, topic=f"none-{uuid4().hex[:8]}")
