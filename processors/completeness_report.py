"""How complete the trail is, as Kafka knows it: for `sluicegate completeness`, with or without workers running."""

from dataclasses import dataclass
from enum import StrEnum

from aiokafka.structs import OffsetAndMetadata

from processors.intervals import Range
from processors.kafka_view import KafkaView
from processors.ledger import RANGES_KEPT, Ledger, Resume
from processors.masking import AUDIT, FRAMES
from processors.masking import GROUP as MASKING_GROUP
from schemas.kafka import KafkaAddress

GROUP = "sluicegate-completeness"


class State(StrEnum):
    """COMPLETE: every frame is accounted for. CATCHING_UP: none lacks so far. INCOMPLETE: some lack or are lost."""

    COMPLETE = "complete"
    CATCHING_UP = "catching-up"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class PartitionReport:
    """One partition of `frames`. Offsets are of that partition; `missing` lists at most 50 ranges, end exclusive.

    `end`: frames recorded; `processed`: committed by the masking; `verified`: all below are in `audit` or
    `dead-letters`. `redriven` and `expired` count frames since the trail began.
    """

    partition: int
    end: int
    processed: int
    verified: int
    missing: tuple[Range, ...]
    missing_frames: int
    redriven: int
    expired: int

    @property
    def state(self) -> State:
        """A verdict on this partition."""
        if self.missing or self.expired:
            return State.INCOMPLETE
        return State.COMPLETE if self.verified >= self.end else State.CATCHING_UP


@dataclass(frozen=True, slots=True)
class Report:
    """All partitions of `frames`, ascending."""

    partitions: tuple[PartitionReport, ...]

    @property
    def state(self) -> State:
        """The worst of the partitions' states."""
        states = {row.state for row in self.partitions}
        worst_first = (State.INCOMPLETE, State.CATCHING_UP)
        return next((state for state in worst_first if state in states), State.COMPLETE)


async def completeness_report(kafka: KafkaAddress) -> Report:
    """Ask Kafka. A state of seconds ago: workers keep their books there every few seconds.

    Raises KafkaError, and TimeoutError when the groups' coordinator stays away.
    """
    async with KafkaView(kafka) as view:
        partitions = await view.partitions(FRAMES)
        lows = await view.lows(FRAMES, partitions)
        books = await view.committed(GROUP, AUDIT)
        processed = await view.committed(MASKING_GROUP, FRAMES)
        ends = await view.ends(FRAMES, partitions)
    return Report(
        tuple(
            _row(_ledger(number, books.get(number), lows[number]), ends[number], processed.get(number))
            for number in partitions
        )
    )


def _ledger(partition: int, kept: OffsetAndMetadata | None, low: int) -> Ledger:
    if kept is None:
        return Ledger(partition, low, Resume(0, {}))
    return Ledger.restored(partition, kept.offset, kept.metadata)


def _row(ledger: Ledger, end: int, processed: OffsetAndMetadata | None) -> PartitionReport:
    return PartitionReport(
        ledger.partition,
        end,
        processed.offset if processed else 0,
        ledger.watermark,
        tuple(ledger.missing[:RANGES_KEPT]),
        ledger.missing_frames,
        ledger.redriven,
        ledger.expired,
    )
