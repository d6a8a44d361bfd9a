"""Reading a small topic of records back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import CodecError, codec


async def records(bootstrap: str, topic: str, schema: str) -> list[dict[str, Any]]:
    """Every record that partition 0 of `topic` has now, in order; tombstones are left out."""
    place = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    found = []
    await consumer.start()
    try:
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        while await consumer.position(place) < end:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += filter(None, (_read(schema, record.value) for record in batch))
    finally:
        await consumer.stop()
    return found


async def acts(bootstrap: str, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The records of topic `admin` that `wanted` takes."""
    return [record for record in await records(bootstrap, "admin", "admin") if wanted(record)]


def _read(schema: str, value: bytes | None) -> dict[str, Any] | None:
    """None for a tombstone, and for what another test has put there that is no record."""
    try:
        return codec(schema).decode(value) if value else None
    except CodecError:
        return None
