"""The topic `dead-letters`, read to its end and sent back to where the records came from.

Which letters have been redriven is the committed offset of a consumer group of ours: a letter before it went back
already. A crash between sending and committing sends one letter a second time, which every reader of the source
topics must bear anyway.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from schemas.clients import start_client
from schemas.codec import CodecError, codec
from schemas.kafka import MAX_MESSAGE_BYTES, KafkaAddress
from schemas.topics import topics

GROUP = "sluicegate-redrive"
TOPIC = "dead-letters"
STALL_SECONDS = 20.0


class LettersError(RuntimeError):
    """The dead letters cannot be read or sent. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `content` is the decoded RecordRejected, None when even that cannot be read."""

    partition: int
    offset: int
    written_at: datetime
    redriven: bool
    content: dict[str, Any] | None

    @property
    def obstacle(self) -> str:
        """Why it cannot be sent back; '' when it can."""
        if self.content is None:
            return "the letter itself cannot be decoded"
        if self.content["topic"] not in topics():
            return "it came from a topic that is not one of ours"
        return (
            ""
            if self.content["value"]
            else "it carries no value: the record was empty, or too large for a letter"
        )

    def row(self) -> dict[str, Any]:
        """What may be shown: everything but the record itself, which is not masked."""
        content = self.content or {}
        return {
            "partition": self.partition,
            "offset": self.offset,
            "written_at": self.written_at,
            "redriven": self.redriven,
            "topic": content.get("topic"),
            "source_partition": content.get("partition"),
            "source_offset": content.get("offset"),
            "component": content.get("component"),
            "reason_code": content.get("reason_code", "undecodable"),
            "reason": content.get("reason", self.obstacle),
            "value_bytes": len(content.get("value", b"")),
        }


class Letters:
    """The dead letters of one cluster. Use as `async with`; raises KafkaError when it does not answer."""

    def __init__(self, address: KafkaAddress, topic: str = TOPIC) -> None:
        self._address = address
        self._topic = topic
        self._consumer = AIOKafkaConsumer(
            **address.client_options(), group_id=GROUP, enable_auto_commit=False, auto_offset_reset="earliest"
        )

    async def __aenter__(self) -> "Letters":
        try:
            await start_client(self._consumer)
        except KafkaError:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def read(self, *, redriven_too: bool) -> AsyncIterator[Letter]:
        """Every letter there is now, by partition in order; without `redriven_too` only those that wait."""
        for tp in await self._partitions():
            self._consumer.assign([tp])
            async for letter in self._read_one(tp, redriven_too=redriven_too):
                yield letter

    async def mark(self, letter: Letter) -> None:
        """From now on `letter` and those before it count as redriven."""
        await self._consumer.commit({TopicPartition(self._topic, letter.partition): letter.offset + 1})

    async def _partitions(self) -> list[TopicPartition]:
        admin = AIOKafkaAdminClient(**self._address.client_options())
        await start_client(admin)
        try:
            (topic,) = await admin.describe_topics([self._topic])
        finally:
            await admin.close()
        numbers = sorted(partition["partition"] for partition in topic["partitions"])
        if not numbers:
            raise LettersError(
                f"there is no topic {self._topic} on {self._address.bootstrap}; start Sluicegate once"
            )
        return [TopicPartition(self._topic, number) for number in numbers]

    async def _read_one(self, tp: TopicPartition, *, redriven_too: bool) -> AsyncIterator[Letter]:
        done = await self._consumer.committed(tp) or 0
        first = (await self._consumer.beginning_offsets([tp]))[tp]
        end = (await self._consumer.end_offsets([tp]))[tp]
        at = first if redriven_too else max(first, done)
        self._consumer.seek(tp, at)
        while at < end:
            for record in await self._fetch(tp):
                if record.offset < end:
                    yield _letter(record, redriven=record.offset < done)
            at = await self._consumer.position(tp)

    async def _fetch(self, tp: TopicPartition) -> list[ConsumerRecord[bytes, bytes]]:
        """At least one record. Raises LettersError when none comes."""
        try:
            async with asyncio.timeout(STALL_SECONDS):
                while not (batch := await self._consumer.getmany(tp, timeout_ms=1_000)):
                    pass
        except TimeoutError:
            raise LettersError(
                f"the brokers gave no record for {STALL_SECONDS:g} s; try again later"
            ) from None
        records: list[ConsumerRecord[bytes, bytes]] = batch[tp]
        return records


def _letter(record: "ConsumerRecord[bytes, bytes]", *, redriven: bool) -> Letter:
    try:
        content = codec("dead_letter").decode(record.value or b"")
    except CodecError:
        content = None
    written_at = datetime.fromtimestamp(record.timestamp / 1_000, UTC)
    return Letter(record.partition, record.offset, written_at, redriven, content)


async def waiting(address: KafkaAddress, *, redriven_too: bool, topic: str = TOPIC) -> list[Letter]:
    """The dead letters on the cluster. Raises KafkaError, LettersError."""
    async with Letters(address, topic) as letters:
        return [letter async for letter in letters.read(redriven_too=redriven_too)]


async def redrive(
    address: KafkaAddress, *, limit: int | None = None, again: bool = False, topic: str = TOPIC
) -> tuple[int, list[Letter]]:
    """Sends waiting letters (`again`: all) to the partitions they came from, in order, at most `limit`.

    Gives how many Kafka acknowledged, and those that cannot be sent back. Raises KafkaError, LettersError.
    """
    sent = 0
    kept: list[Letter] = []
    async with Letters(address, topic) as letters, _producer(address) as producer:
        async for letter in letters.read(redriven_too=again):
            if limit is not None and sent + len(kept) >= limit:
                break
            if await _send_back(producer, letter):
                sent += 1
            else:
                kept.append(letter)
            if not letter.redriven:
                await letters.mark(letter)
    return sent, kept


def _producer(address: KafkaAddress) -> AIOKafkaProducer:
    options = address.client_options()
    return AIOKafkaProducer(
        **options, acks="all", enable_idempotence=True, max_request_size=MAX_MESSAGE_BYTES
    )


async def _send_back(producer: AIOKafkaProducer, letter: Letter) -> bool:
    """Whether Kafka has acknowledged the record in `letter` on its old partition."""
    content = letter.content
    if content is None or letter.obstacle:
        return False
    key, partition = content["key"] or None, content["partition"]
    await producer.send_and_wait(content["topic"], content["value"], key=key, partition=partition)
    return True
