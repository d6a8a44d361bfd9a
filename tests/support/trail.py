"""Reading a topic of frames back, and checking its lanes as an auditor would."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from schemas.digests import GENESIS, body_commitment, frame_digest
from schemas.frames import FrameRecorded, header_bytes, open_frame


@dataclass(frozen=True)
class Recorded:
    """A frame on the topic and where it stands."""

    partition: int
    offset: int
    frame: FrameRecorded


async def read_frames(bootstrap: str, topic: str = "frames") -> list[Recorded]:
    """Every frame that is on the topic now, by partition and offset."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        found: list[Recorded] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found += [Recorded(tp.partition, r.offset, open_frame(r.value).record) for r in records]
    finally:
        await consumer.stop()
    return sorted(found, key=lambda r: (r.partition, r.offset))


async def frames_of(
    bootstrap: str, exchange_id: str, *, until: int = 1, seconds: float = 30
) -> list[FrameRecorded]:
    """The frames of one exchange in lane order, once there are `until` of them. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            frames = [
                r.frame for r in await read_frames(bootstrap) if str(r.frame["exchange_id"]) == exchange_id
            ]
            if len(frames) >= until:
                return sorted(frames, key=lambda frame: (frame["lane"], frame["lane_seq"]))


def check_lanes(recorded: list[Recorded]) -> int:
    """Number of lanes. Raises AssertionError on a gap, a broken chain or a body that is not the committed one."""
    lanes: dict[str, dict[int, FrameRecorded]] = defaultdict(dict)
    for row in recorded:
        lanes[row.frame["lane"]][row.frame["lane_seq"]] = row.frame  # a repeat is the same frame
    for name, frames in lanes.items():
        previous = GENESIS
        for number in range(1, len(frames) + 1):
            frame = frames.get(number)
            assert frame is not None, f"lane {name} lacks {number}"
            assert frame["prev_digest"] == previous, f"lane {name} is not chained at {number}"
            assert frame_digest(header_bytes(frame)) == frame["digest"], (
                f"lane {name} was changed at {number}"
            )
            assert body_commitment(frame["body_salt"], frame["body"]) == frame["body_commitment"]
            previous = frame["digest"]
    return len(lanes)
