"""Driving frames again: read them from `frames` by offset and put them through the same step as everybody.

What their sessions remember is read from the changelog: it was durable before the frames were committed, so they
learn nothing new, and nothing is written back.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.intervals import IntervalSet, Range
from processors.known_table import known_rows
from processors.masking import FRAMES, MaskingProcessor
from processors.records import Incoming
from schemas.kafka import KafkaAddress

READ_MS = 1_000
RECORDS_MAX = 200


@dataclass(frozen=True, slots=True)
class Redriven:
    """What came of it: frames driven again; offsets that retention took; offsets that are no record."""

    frames: int
    expired: list[Range] = field(default_factory=list)
    void: list[Range] = field(default_factory=list)


async def redrive(
    kafka: KafkaAddress, partition: int, ranges: list[Range], processor: MaskingProcessor
) -> Redriven:
    """Drive the frames in `ranges` (ascending, below the end of the log) again; returns when all are durable.

    Raises KafkaError when Kafka cannot be read or written.
    """
    place = TopicPartition(FRAMES, partition)
    reader = AIOKafkaConsumer(
        enable_auto_commit=False, auto_offset_reset="earliest", **kafka.client_options()
    )
    await reader.start()
    try:
        reader.assign([place])
        low = (await reader.beginning_offsets([place]))[place]
        known = await known_rows(kafka, partition)
        found = IntervalSet()
        for start, end in ranges:
            if end > low:
                wanted = (max(start, low), end)
                await _drive(reader, place, wanted, lambda frames: processor.process(frames, known), found)
        low = (await reader.beginning_offsets([place]))[place]  # retention may have gone on meanwhile
    finally:
        await reader.stop()
    absent = [hole for start, end in ranges for hole in found.holes(start, end)]
    return Redriven(
        sum(end - start for start, end in found),
        [(start, min(end, low)) for start, end in absent if start < low],
        [(max(start, low), end) for start, end in absent if end > low],
    )


async def _drive(
    reader: AIOKafkaConsumer,
    place: TopicPartition,
    wanted: Range,
    drive: Callable[[list[Incoming]], Awaitable[object]],
    found: IntervalSet,
) -> None:
    start, end = wanted
    reader.seek(place, start)
    while await reader.position(place) < end:
        rows = (await reader.getmany(place, timeout_ms=READ_MS, max_records=RECORDS_MAX)).get(place, [])
        rows = [row for row in rows if start <= row.offset < end]
        frames = [Incoming(FRAMES, place.partition, row.offset, row.key, row.value) for row in rows]
        await drive(frames)
        for row in rows:
            found.add(row.offset, row.offset + 1)
