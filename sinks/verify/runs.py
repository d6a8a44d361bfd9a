"""Consecutive offsets with the same fate, as one run; and rows in groups, one group an offset."""

from collections import deque
from collections.abc import Callable, Iterator

from sinks.verify.rebuild import Row


class Run:
    """Offsets of one fate, given in ascending order; `ended` gets each run (first, last, inclusive)."""

    def __init__(self, ended: Callable[[int, int], None]) -> None:
        self._ended = ended
        self._first = self._last = -1
        self.total = 0

    def add(self, offset: int) -> None:
        """One more."""
        self.total += 1
        if self._first >= 0 and offset == self._last + 1:
            self._last = offset
            return
        self.end()
        self._first = self._last = offset

    def end(self) -> None:
        """No more follow."""
        if self._first >= 0:
            self._ended(self._first, self._last)
        self._first = self._last = -1


class Cursor:
    """Rows in the order of their offsets, read once, with a look ahead."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._ahead: deque[Row] = deque()

    def before(self, offset: int) -> Iterator[Row]:
        """The rows below `offset`."""
        while (row := self._peek()) is not None and row["k_offset"] < offset:
            yield self._ahead.popleft()

    def at(self, offset: int) -> Iterator[Row]:
        """The rows at `offset`."""
        yield from self.before(offset + 1)

    def rest(self) -> Iterator[Row]:
        """All others."""
        while self._peek() is not None:
            yield self._ahead.popleft()

    def look(self, first: int, count: int) -> list[Row] | None:
        """One row for each of the next offsets, which are not taken yet; None when one has none."""
        place = 0
        found: list[Row] = []
        while len(found) < count:
            if place == len(self._ahead):
                row = next(self._rows, None)
                if row is None:
                    return None
                self._ahead.append(row)
            row = self._ahead[place]
            place += 1
            if row["k_offset"] > first + len(found):
                return None
            if row["k_offset"] == first + len(found):
                found.append(row)
        return found

    def _peek(self) -> Row | None:
        if not self._ahead:
            row = next(self._rows, None)
            if row is None:
                return None
            self._ahead.append(row)
        return self._ahead[0]
