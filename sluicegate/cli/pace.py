"""When to show each frame of a replay."""

import time
from collections.abc import Callable
from datetime import datetime


class Pace:
    """Keeps `speed` times the original pace; 0 never waits. `clock` gives seconds, from anywhere, forwards.

    Times are measured from the first frame, so that slow printing does not add up.
    """

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._clock = clock
        self._start: tuple[datetime, float] | None = None

    def seconds_until(self, recorded_at: datetime) -> float:
        """Seconds from now until the frame recorded then is due; 0 when it is."""
        if not self._speed:
            return 0.0
        now = self._clock()
        first, began = self._start = self._start or (recorded_at, now)
        due = began + (recorded_at - first).total_seconds() / self._speed
        return max(0.0, due - now)
