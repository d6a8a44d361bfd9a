"""How far a check has come, on standard error, for whoever waits for a large trail at a terminal."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from schemas.checkpoints import CheckpointRecord
from sinks.verify.rebuild import Row
from sinks.verify.trail import Trail

_EVERY = 20_000


class _Counted:
    """A trail whose rows are counted as they are read."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._rows = 0

    def partitions(self) -> Sequence[int]:
        """See Trail."""
        return self._trail.partitions()

    def checkpoints(self, partition: int) -> Iterable[CheckpointRecord]:
        """See Trail."""
        return self._trail.checkpoints(partition)

    def tombstones(self, partition: int) -> Iterable[dict[str, Any]]:
        """See Trail."""
        return self._trail.tombstones(partition)

    def rows(self, partition: int) -> Iterator[Row]:
        """See Trail."""
        for row in self._trail.rows(partition):
            self._rows += 1
            if self._rows % _EVERY == 0:
                sys.stderr.write(f"\r{self._rows:,} rows checked, partition {partition} ")
                sys.stderr.flush()
            yield row
        if self._rows >= _EVERY:
            sys.stderr.write("\r" + " " * 60 + "\r")
            sys.stderr.flush()


def counted(trail: Trail, *, quiet: bool) -> Trail:
    """`trail`, which tells how far it was read unless `quiet` or nobody is at a terminal."""
    return trail if quiet or not sys.stderr.isatty() else _Counted(trail)
