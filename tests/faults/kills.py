"""kill -9 of one part after the other, each time until it is back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable

BACK_SECONDS = 120


class Killer:
    """`pids()` gives the parts' process ids by name, as the supervisor knows them now."""

    def __init__(self, pids: Callable[[], dict[str, int]]) -> None:
        self._pids = pids
        self.kills: Counter[str] = Counter()
        self.longest_away: Counter[str] = Counter()

    async def kill(self, part: str) -> None:
        """Kills it and waits until the supervisor runs another. Raises TimeoutError when none comes."""
        before = self._pids()[part]
        os.kill(before, signal.SIGKILL)
        self.kills[part] += 1
        started = time.monotonic()
        async with asyncio.timeout(BACK_SECONDS):
            while self._pids().get(part, before) == before or not _alive(self._pids()[part]):
                await asyncio.sleep(0.05)
        self.longest_away[part] = max(self.longest_away[part], round(time.monotonic() - started))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
