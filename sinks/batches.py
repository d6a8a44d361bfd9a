"""What came from Kafka and waits, and how batches are cut from it. Pure: no I/O, no clock.

add → Intake → cut → Cut (records by partition, and the range that names them) → sort → Sorted
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sinks.avro import Placed, UnfitError
from sinks.journal import PARTITIONS_MAX, BatchRange
from sinks.seen import SeenFrames
from sinks.tables import Target


class Fetched(Protocol):
    """A record as the consumer gives it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record the store cannot take, and why."""

    record: Fetched
    reason_code: str
    reason: str


@dataclass(slots=True)
class Sorted:
    """A cut batch, sorted: what to store by schema fingerprint, what repeats a stored frame, what is unfit."""

    keep: dict[bytes, list[Placed]] = field(default_factory=dict)
    frames: list[tuple[str, int]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeats: list[Placed] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many records are to be stored."""
        return sum(len(placed) for placed in self.keep.values())

    @property
    def duplicates(self) -> int:
        """How many records repeat a frame that is stored, or comes earlier in this batch."""
        return len(self.repeats)


class Intake:
    """Records of one topic, by partition in offset order, until a batch is cut from them."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.waiting_bytes = 0
        self.waiting_rows = 0
        self._queues: dict[int, deque[Fetched]] = {}

    def add(self, partition: int, records: Iterable[Fetched]) -> None:
        """`records` of `partition` follow those that wait."""
        queue = self._queues.setdefault(partition, deque())
        for record in records:
            queue.append(record)
            self.waiting_rows += 1
            self.waiting_bytes += _size(record)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forgets what waits of `partitions`: they went to another consumer."""
        for partition in partitions:
            for record in self._queues.pop(partition, ()):
                self._count_out(record)

    def cut(self, rows_max: int, bytes_max: int) -> tuple[BatchRange, list[Fetched]] | None:
        """The next batch, at most so large but at least one record; None when nothing waits."""
        taken: list[Fetched] = []
        ranges: dict[int, tuple[int, int]] = {}
        size = 0
        for partition, queue in sorted(self._queues.items()):
            if len(ranges) == PARTITIONS_MAX:
                break
            first = queue[0].offset if queue else 0
            while queue and len(taken) < rows_max and (not taken or size + _size(queue[0]) <= bytes_max):
                record = queue.popleft()
                self._count_out(record)
                taken.append(record)
                size += _size(record)
                ranges[partition] = (first, record.offset)
        return (BatchRange(self.topic, ranges), taken) if taken else None

    def cut_again(self, batch: BatchRange) -> list[Fetched]:
        """The records of `batch`, as far as they still exist; the caller has fetched them all."""
        taken: list[Fetched] = []
        for partition, (_first, last) in sorted(batch.ranges.items()):
            queue = self._queues.get(partition, deque())
            while queue and queue[0].offset <= last:
                record = queue.popleft()
                self._count_out(record)
                taken.append(record)
        return taken

    def _count_out(self, record: Fetched) -> None:
        self.waiting_rows -= 1
        self.waiting_bytes -= _size(record)


def sort(target: Target, records: Sequence[Fetched], seen: SeenFrames) -> Sorted:
    """Looks into each record: new, stored already (or twice in this batch), or unfit."""
    result = Sorted()
    here: set[tuple[str, int]] = set()
    for record in records:
        try:
            fingerprint, frame = target.identity(record.value)
        except UnfitError as exc:
            result.rejected.append(Rejected(record, exc.reason_code, str(exc)))
            continue
        placed = Placed(record.partition, record.offset, record.value or b"")
        if frame is not None:
            if frame in here or frame in seen:
                result.repeats.append(placed)
                continue
            here.add(frame)
            result.frames.append(frame)
        result.keep.setdefault(fingerprint, []).append(placed)
    return result


def _size(record: Fetched) -> int:
    return len(record.value or b"") + len(record.key or b"")
