"""When what falls due: a heap for each partition, in memory only; it is made again from the table."""

import heapq
from collections import defaultdict
from collections.abc import Iterable

from processors.approvals.entry import Entry, Row
from processors.approvals.passing import due_at


class Agenda:
    """Moments (UTC in microseconds) of approvals. One that was moved may be looked at twice, which does no harm."""

    def __init__(self) -> None:
        self._heaps: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Agenda":
        """From the rows of a table; clocks among them are passed over."""
        agenda = cls()
        for row in rows:
            if "approval_id" in row:
                entry = Entry.restored(row)
                agenda.put(entry.partition, entry.approval_id, due_at(entry))
        return agenda

    def put(self, partition: int, approval_id: str, moment: int) -> None:
        """Note that something falls due then."""
        heap = self._heaps[partition]
        if (moment, approval_id) not in heap[:1]:
            heapq.heappush(heap, (moment, approval_id))

    def due(self, partition: int, now: int) -> list[str]:
        """The approvals that are due by `now`, each once; they are taken off."""
        heap = self._heaps[partition]
        found: dict[str, None] = {}
        while heap and heap[0][0] <= now:
            found[heapq.heappop(heap)[1]] = None
        return list(found)

    def waiting(self, now: int) -> list[int]:
        """Partitions where something is due by `now`."""
        return [partition for partition, heap in self._heaps.items() if heap and heap[0][0] <= now]

    def drop(self, keep: Iterable[int]) -> None:
        """Forget the partitions that are not among `keep`."""
        for partition in set(self._heaps) - set(keep):
            del self._heaps[partition]
