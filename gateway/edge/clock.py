"""The time that stands on records: it never goes back, so that an order by time is the order of what happened.

The machine's clock is followed as long as it goes on evenly. Where it jumps back, records go on by the steady clock
until the wall clock has come that far again; where it jumps forward, they follow. Either is flagged on what is
recorded meanwhile, as attribute `SKEW_MS`: the jump in milliseconds, negative for one back.
"""

import time

import structlog

from gateway.edge.metrics import METRICS

SKEW_MS = "clock.skew_ms"
JUMP_US = 1_000_000  # what a clock is slewed by is less
TOLD_US = 60_000_000  # so long after a jump forward every frame says so

log = structlog.get_logger("clock")


class RecordClock:
    """One a process."""

    def __init__(self) -> None:
        self._apart = _wall_us() - _steady_us()  # of the wall clock from the steady one
        self._last = 0
        self._ahead = 0  # what was jumped forward lately, in microseconds
        self._until = 0  # by the steady clock: so long that is told
        self.skew_us = 0

    def now(self) -> int:
        """Microseconds since 1970, never less than before; sets `skew_us`, 0 for a clock that goes evenly."""
        wall, steady = _wall_us(), _steady_us()
        even = steady + self._apart
        if wall - even > JUMP_US:
            self._jumped(wall - even)
            self._ahead, self._until, self._apart = wall - even, steady + TOLD_US, wall - steady
        elif wall - even >= -JUMP_US:
            self._apart = wall - steady
        elif not self.skew_us:
            self._jumped(wall - even)
        now = max(self._last, steady + self._apart)
        self._last = now
        behind = wall - now if wall - now < -JUMP_US else 0
        skew = behind or (self._ahead if steady < self._until else 0)
        if skew != self.skew_us:
            self.skew_us = skew
            METRICS.clock_skew_seconds.set(skew / 1e6)
        return now

    def _jumped(self, by_us: int) -> None:
        log.warning(
            "clock_jumped",
            seconds=round(by_us / 1e6, 1),
            advice="records say so; look at time synchronisation",
        )


def _wall_us() -> int:
    return time.time_ns() // 1_000


def _steady_us() -> int:
    return time.monotonic_ns() // 1_000
