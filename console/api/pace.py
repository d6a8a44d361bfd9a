"""How often one caller may ask: a token bucket each, and the callers that were quiet for longest forgotten first."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

KEPT_MAX = 10_000


class Pace:
    """`per_second` in the long run, `burst` at once. `monotonic`: seconds that never jump."""

    def __init__(
        self, per_second: float, burst: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._burst, self._monotonic = per_second, burst, monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> int:
        """0 when `name` may go on, which is counted; else the seconds until it may."""
        now = self._monotonic()
        left, since = self._left.pop(name, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) * self._per_second)
        taken = 1.0 if left >= 1.0 else 0.0
        self._left[name] = (left - taken, now)
        while len(self._left) > KEPT_MAX:
            self._left.popitem(last=False)
        return 0 if taken else max(1, math.ceil((1.0 - left) / self._per_second))
