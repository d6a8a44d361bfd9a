"""Refusals of callers whom nobody identified: a flood of them must not fill the trail, nor go untold.

Each has a record of its own up to a rate; beyond it they are counted, and the next record says how many there were.
"""

import time
from collections.abc import Callable

PER_SECOND = 10.0
BURST = 200


class Strangers:
    """A token bucket, and what did not fit. `clock` gives seconds that never jump."""

    def __init__(
        self,
        *,
        per_second: float = PER_SECOND,
        burst: int = BURST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._at = clock()
        self._untold = 0

    def has_room(self) -> bool:
        """Whether the next refusal gets a record of its own; if not, it is counted."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            self._untold += 1
            return False
        self._left -= 1
        return True

    def take_untold(self) -> int:
        """How many were only counted since this was last asked."""
        untold, self._untold = self._untold, 0
        return untold
