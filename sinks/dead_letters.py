"""Records that cannot be stored go to the topic `dead-letters` with a reason, and nothing stops."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from schemas.clients import start_client
from schemas.codec import codec
from schemas.kafka import MAX_MESSAGE_BYTES, KafkaAddress
from sinks.batches import Rejected

_ROOM_BYTES = 64 * 1024  # for the letter's other fields and the batch around it


class DeadLetters:
    """Writes dead letters; connects when the first one comes."""

    def __init__(self, address: KafkaAddress, topic: str) -> None:
        self._address = address
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None

    async def send(self, source: str, rejected: Sequence[Rejected]) -> None:
        """Returns when Kafka has every one of `rejected`, which came from topic `source`. Raises KafkaError."""
        producer = await self._connected()
        for item in rejected:
            place = f"{source}-{item.record.partition}-{item.record.offset}"
            await producer.send_and_wait(self._topic, letter(source, item), key=place.encode())

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._address.client_options(),
                acks="all",
                enable_idempotence=True,
                max_request_size=MAX_MESSAGE_BYTES,
            )
            await start_client(producer)
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Lets go of Kafka."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None


def letter(source: str, item: Rejected) -> bytes:
    """The value for topic `dead-letters`. A record too large to be wrapped is named, not carried."""
    record = item.record
    value, reason = record.value or b"", item.reason
    if len(value) + len(record.key or b"") > MAX_MESSAGE_BYTES - _ROOM_BYTES:
        reason = f"{reason}; its {len(value)} bytes are too many for a dead letter and stay on topic {source}"
        value = b""
    return codec("dead_letter").encode(
        {
            "topic": source,
            "partition": record.partition,
            "offset": record.offset,
            "component": "sink",
            "reason_code": item.reason_code,
            "reason": reason,
            "key": record.key or b"",
            "value": value,
        }
    )
