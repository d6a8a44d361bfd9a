"""The broker alone: how long one acknowledged record takes, sent as the gateway sends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

TOPIC = "bench-round-trip"
RECORD_BYTES = 1_200  # about an Avro frame with its envelope
WARMUP = 50


@dataclass(frozen=True)
class RoundTrip:
    """Serial acknowledged sends (acks=all, idempotent), in milliseconds."""

    sends: int
    p50_ms: float
    p99_ms: float


def measure(bootstrap: str, sends: int = 500) -> RoundTrip:
    """Time `sends` records one after the other on a topic of one partition made for it."""
    trip: RoundTrip = uvloop.run(_measure(bootstrap, sends))
    return trip


def typical(trips: Sequence[RoundTrip]) -> RoundTrip:
    """The medians of several measurements taken through a run."""
    p50 = median(trip.p50_ms for trip in trips)
    return RoundTrip(sum(trip.sends for trip in trips), p50, median(trip.p99_ms for trip in trips))


async def _measure(bootstrap: str, sends: int) -> RoundTrip:
    await _make_topic(bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    record = bytes(RECORD_BYTES)
    took = []
    try:
        for _ in range(WARMUP + sends):
            begun = time.perf_counter()
            await producer.send_and_wait(TOPIC, record, partition=0)
            took.append((time.perf_counter() - begun) * 1e3)
    finally:
        await producer.stop()
    measured = sorted(took[WARMUP:])
    return RoundTrip(sends, median(measured), measured[int(0.99 * (len(measured) - 1))])


async def _make_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if TOPIC not in await admin.list_topics():
            await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    finally:
        await admin.close()
