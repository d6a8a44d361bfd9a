"""What was handed over and what is finished, by partition: pure bookkeeping, the heart of "nothing is lost"."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class _Partition:
    next: int
    committed: int | None
    sent: deque[int] = field(default_factory=deque)
    finished: set[int] = field(default_factory=set)
    weights: dict[int, int] = field(default_factory=dict)


class Progress:
    """Positions of the partitions of one assignment.

    `next` is the offset of the next record to hand to a stream and the only position that counts. The commit is
    the oldest offset handed over and not finished, so holes in the log (retention, transaction markers) need no
    guessing: what was never handed over is never waited for.
    """

    def __init__(self) -> None:
        self._partitions: dict[Any, _Partition] = {}
        self.held_bytes = 0
        self.held_records = 0

    def __contains__(self, tp: Any) -> bool:
        return tp in self._partitions

    def start(self, tp: Any, position: int, committed: int | None) -> None:
        """Begin `tp` at `position`, forgetting what was known of it."""
        self.forget((tp,))
        self._partitions[tp] = _Partition(position, committed)

    def forget(self, tps: Iterable[Any]) -> None:
        """Drop partitions: somebody else's now, or about to be sought anew."""
        for tp in tps:
            if (gone := self._partitions.pop(tp, None)) is not None:
                self.held_bytes -= sum(gone.weights.values())
                self.held_records -= len(gone.weights)

    def next(self, tp: Any) -> int | None:
        """Offset of the next record to hand over; None for a partition that is not ours."""
        known = self._partitions.get(tp)
        return None if known is None else known.next

    def hand_over(self, tp: Any, offset: int, weight: int) -> bool:
        """Count a record of `weight` bytes as handed to a stream. False: it was already, do not give it again."""
        known = self._partitions[tp]
        if offset < known.next:
            return False
        known.next = offset + 1
        known.sent.append(offset)
        known.weights[offset] = weight
        self.held_bytes += weight
        self.held_records += 1
        return True

    def skip_to(self, tp: Any, position: int) -> None:
        """The log has no record before `position` that was not handed over (trailing transaction markers)."""
        known = self._partitions[tp]
        known.next = max(known.next, position)

    def finish(self, tp: Any, offset: int) -> None:
        """The record's outputs are durable. Unknown partitions and offsets are ignored: they are not ours."""
        known = self._partitions.get(tp)
        if known is not None and (weight := known.weights.pop(offset, None)) is not None:
            known.finished.add(offset)
            self.held_bytes -= weight
            self.held_records -= 1

    def committable(self, tp: Any) -> int | None:
        """The offset to commit, when it is beyond what was committed; None otherwise."""
        known = self._partitions.get(tp)
        if known is None:
            return None
        while known.sent and known.sent[0] in known.finished:
            known.finished.discard(known.sent.popleft())
        offset = known.sent[0] if known.sent else known.next
        return offset if offset > (known.committed or 0) else None

    def committed(self, tp: Any, offset: int) -> None:
        """Kafka has the commit. (A commit that failed is simply not told, and will be tried again.)"""
        if tp in self._partitions:
            self._partitions[tp].committed = offset

    def head(self, tp: Any) -> int | None:
        """Offset of the oldest unfinished record, or where the next one will be; None: not ours."""
        known = self._partitions.get(tp)
        if known is None:
            return None
        return known.sent[0] if known.sent else known.next

    def partitions(self) -> list[Any]:
        """The partitions known now."""
        return list(self._partitions)
