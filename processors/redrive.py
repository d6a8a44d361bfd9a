"""Driving frames again: read them from `frames` by offset and put them through the same step as everybody."""

from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from processors.intervals import IntervalSet, Range
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
        found = IntervalSet()
        for start, end in ranges:
            if end > low:
                await _drive(reader, place, (max(start, low), end), processor, found)
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
    processor: MaskingProcessor,
    found: IntervalSet,
) -> None:
    start, end = wanted
    reader.seek(place, start)
    while await reader.position(place) < end:
        rows = (await reader.getmany(place, timeout_ms=READ_MS, max_records=RECORDS_MAX)).get(place, [])
        rows = [row for row in rows if start <= row.offset < end]
        await processor.process(
            [Incoming(FRAMES, place.partition, row.offset, row.key, row.value) for row in rows]
        )
        for row in rows:
            found.add(row.offset, row.offset + 1)
