"""What a check reads: the parts of a trail, in order. Sources implement it; the check knows nothing else of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from schemas.checkpoints import CheckpointRecord
from sinks.verify.rebuild import Row


class Trail(Protocol):
    """One trail. Iterators are read once each, in the order in which they are asked for."""

    def partitions(self) -> Sequence[int]:
        """The partitions of topic `audit` that there is anything of."""
        ...

    def checkpoints(self, partition: int) -> Iterable[CheckpointRecord]:
        """Checkpoints and anchors of a partition, by tree_size; the fields as stored, whatever they say."""
        ...

    def tombstones(self, partition: int) -> Iterable[dict[str, Any]]:
        """Tombstones of a partition, by first_offset; the fields as stored."""
        ...

    def rows(self, partition: int) -> Iterator[Row]:
        """Rows of a partition by k_offset, and repeats (`repeat` is true): the twin's columns at the repeat's place.

        A repeat whose twin is not there has only `k_offset` and `repeat`.
        """
        ...
