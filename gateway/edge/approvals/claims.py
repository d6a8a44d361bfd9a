"""Which approvals exchanges of this process are at, so that two identical calls do not wait for one approval."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINGER_SECONDS = 5.0
"""From the moment that an exchange found, asked for or was given an approval until it goes on with it."""

LINGERING_MAX = 10_000


class Claims:
    """By approval id. `clock` gives seconds that never jump."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at: Counter[str] = Counter()
        self._lingering: dict[str, float] = {}

    def taken(self, approval_id: str) -> bool:
        """Whether an exchange is at it."""
        return self._at[approval_id] > 0 or self._lingering.get(approval_id, 0.0) > self._clock()

    def exchanges(self, approval_id: str) -> int:
        """How many wait for it now."""
        return self._at[approval_id]

    def linger(self, approval_id: str) -> None:
        """It is somebody's for a moment."""
        self._lingering.pop(approval_id, None)
        if len(self._lingering) >= LINGERING_MAX:
            del self._lingering[next(iter(self._lingering))]
        self._lingering[approval_id] = self._clock() + LINGER_SECONDS

    def release(self, approval_id: str) -> None:
        """Nobody is at it but those who wait."""
        self._lingering.pop(approval_id, None)

    @contextmanager
    def held(self, approval_id: str) -> Iterator[None]:
        """An exchange is at it within the block, and afterwards only where it says `linger`."""
        self.release(approval_id)
        self._at[approval_id] += 1
        try:
            yield
        finally:
            self._at[approval_id] -= 1
            if not self._at[approval_id]:
                del self._at[approval_id]
