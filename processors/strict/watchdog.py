"""Judges whether a worker stands still. Pure: the time comes in from outside."""

from collections.abc import Mapping
from typing import Any


class Watchdog:
    """Remembers since when each partition has not moved. All times are seconds of one monotonic clock."""

    def __init__(self, stall_seconds: float, rebalance_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._rebalance_seconds = rebalance_seconds
        self._seen: dict[Any, tuple[int | None, float]] = {}
        self._held_since: float | None = None

    def look(
        self, now: float, settled: bool, heads_and_ends: Mapping[Any, tuple[int | None, int]]
    ) -> str | None:
        """The fault that must end the process, or None.

        `settled`: no rebalance or recovery is under way. `heads_and_ends`: by partition the oldest unfinished
        offset and the log's end; empty while not ready.
        """
        return self._look_at_rebalance(now, settled) or self._look_at_partitions(now, heads_and_ends)

    def _look_at_rebalance(self, now: float, settled: bool) -> str | None:
        if settled:
            self._held_since = None
            return None
        if self._held_since is None:
            self._held_since = now
        held = now - self._held_since
        return f"not ready {held:.0f} s after a rebalance began" if held > self._rebalance_seconds else None

    def _look_at_partitions(
        self, now: float, heads_and_ends: Mapping[Any, tuple[int | None, int]]
    ) -> str | None:
        self._seen = {tp: seen for tp, seen in self._seen.items() if tp in heads_and_ends}
        for tp, (head, end) in heads_and_ends.items():
            if head is None or head >= end or tp not in self._seen or self._seen[tp][0] != head:
                self._seen[tp] = (head, now)
            elif now - self._seen[tp][1] > self._stall_seconds:
                still = now - self._seen[tp][1]
                return f"{tp.topic}-{tp.partition} stands at {head} of {end} for {still:.0f} s"
        return None
