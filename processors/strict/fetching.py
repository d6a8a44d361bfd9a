"""What runs inside Faust's consumer thread: finding the start positions, and fetching from a forced position.

Nothing here waits for a rebalance: the thread has two workers, and a fetch that blocks one keeps aiokafka from
rejoining the group.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import structlog
from faust.transport.consumer import ensure_TP
from faust.transport.drivers.aiokafka import ensure_aiokafka_TP

log = structlog.get_logger(__name__)


class Start(NamedTuple):
    """Where a partition begins: the committed offset (None: nothing was committed) and the offset to read first."""

    committed: int | None
    position: int


class Fetched(NamedTuple):
    """Records by aiokafka partition, and the position after them."""

    records: Mapping[Any, list[Any]]
    after: Mapping[Any, int]


NOTHING = Fetched({}, {})


def inside(partition: Any, offset: int, low: int, end: int) -> int:
    """`offset` where the log [low, end] has it, else `low`: retention or a new topic took the place away."""
    if low <= offset <= end:
        return offset
    log.error(
        "offset_outside_log",
        topic=partition.topic,
        partition=partition.partition,
        offset=offset,
        low=low,
        end=end,
    )
    return low


async def start_positions(consumer: Any, partitions: Collection[Any], reset: str) -> dict[Any, Start]:
    """The start of each partition. `reset`: "earliest" or "latest", for those without a commit."""
    tps = [ensure_aiokafka_TP(tp) for tp in partitions]
    if not tps:
        return {}
    low, end, *committed = await asyncio.gather(
        consumer.beginning_offsets(tps), consumer.end_offsets(tps), *map(consumer.committed, tps)
    )
    fallback = end if reset == "latest" else low
    return {
        ensure_TP(tp): Start(offset, fallback[tp] if offset is None else inside(tp, offset, low[tp], end[tp]))
        for tp, offset in zip(tps, committed, strict=True)
    }


async def fetch(
    consumer: Any, want: Mapping[Any, int | None], timeout: float, flowing: Callable[[], bool]
) -> Fetched:
    """Records of the partitions in `want`, each from its own offset (None: from where aiokafka stands).

    Gives nothing when the assignment changes meanwhile. Call it with an empty `want` too: without a poll now and
    then aiokafka takes the member for dead and never rejoins.
    """
    subscription = consumer._subscription
    with subscription.fetch_context():
        pass
    if not flowing() or subscription.subscription is None or subscription.reassignment_in_progress:
        return NOTHING
    assignment = subscription.subscription.assignment
    wanted = _assigned(want, assignment)
    if not wanted or not await _force_positions(consumer, wanted, assignment):
        return NOTHING  # (aiokafka reads an empty set of partitions as: all of them)
    with subscription.fetch_context():
        records = await consumer._fetcher.fetched_records(
            set(wanted), timeout, max_records=consumer._max_poll_records
        )
    if not _still(consumer, assignment):
        return NOTHING
    return Fetched(records, {tp: assignment.state_value(tp)._position for tp in records})


def _assigned(want: Mapping[Any, int | None], assignment: Any) -> dict[Any, int | None]:
    if assignment is None:
        return {}
    pairs = ((ensure_aiokafka_TP(tp), offset) for tp, offset in want.items())
    return {tp: offset for tp, offset in pairs if tp in assignment.tps}


async def _force_positions(consumer: Any, wanted: Mapping[Any, int | None], assignment: Any) -> bool:
    """Seek where aiokafka's position is not ours. False when the assignment changed under it."""
    moved = {
        tp: offset
        for tp, offset in wanted.items()
        if offset is not None and assignment.state_value(tp)._position != offset
    }
    if not moved:
        return True
    low, end = await asyncio.gather(consumer.beginning_offsets(moved), consumer.end_offsets(moved))
    if not _still(consumer, assignment):
        return False
    for tp, offset in moved.items():
        consumer.seek(tp, inside(tp, offset, low[tp], end[tp]))
    return True


def _still(consumer: Any, assignment: Any) -> bool:
    subscription = consumer._subscription.subscription
    return subscription is not None and subscription.assignment is assignment and assignment.active
