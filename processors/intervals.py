"""A set of offsets kept as intervals: small as long as offsets come nearly in order."""

from bisect import bisect_right
from collections.abc import Iterator

Range = tuple[int, int]
"""Offsets from the first, up to and without the second."""


class IntervalSet:
    """Offsets as disjoint, ascending, non-touching half-open intervals."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def __iter__(self) -> Iterator[Range]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self._starts, offset) - 1
        return at >= 0 and offset < self._ends[at]

    def add(self, start: int, end: int) -> None:
        """Add the offsets start … end - 1."""
        if start >= end:
            return
        if self._ends and start == self._ends[-1]:  # in order: what nearly always happens
            self._ends[-1] = end
            return
        first = bisect_right(self._ends, start - 1)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def holes(self, start: int, end: int) -> list[Range]:
        """The ranges within start … end - 1 that are not in the set."""
        holes: list[Range] = []
        for low, high in self:
            if high <= start:
                continue
            if low >= end:
                break
            if low > start:
                holes.append((start, low))
            start = high
        if start < end:
            holes.append((start, end))
        return holes

    def take_from(self, start: int) -> int:
        """Drop everything below the first offset from `start` on that is not in the set; return that offset."""
        while self._starts and self._starts[0] <= start:
            start = max(start, self._ends[0])
            del self._starts[0], self._ends[0]
        return start


def total(ranges: list[Range]) -> int:
    """How many offsets there are in disjoint ranges."""
    return sum(end - start for start, end in ranges)


def first_offsets(ranges: list[Range], count: int) -> list[Range]:
    """The first `count` offsets of ascending ranges."""
    kept: list[Range] = []
    for start, end in ranges:
        if count <= 0:
            break
        kept.append((start, min(end, start + count)))
        count -= end - start
    return kept


def text(ranges: list[Range], shown: int = 20) -> str:
    """The ranges for a person: "3, 7-9, …"."""
    parts = [str(start) if end == start + 1 else f"{start}-{end - 1}" for start, end in ranges[:shown]]
    return ", ".join(parts) + (", …" if len(ranges) > shown else "")
