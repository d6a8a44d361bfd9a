"""One follower's changes, kept by approval: who is slow misses states in between, never the last.

A position names what was read of the topics, so that a follower may go on where it was, at any console.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping

Positions = Mapping[tuple[str, int], int]
"""(Topic, partition) → the offset that comes next."""

LETTERS = {"r": "approvals.requested", "s": "approvals.settled"}
_POSITION = re.compile(r"r((?:\d{1,18}\.){0,255}\d{1,18})s((?:\d{1,18}\.){0,255}\d{1,18})")


class Feed:
    """Approvals that changed and were not taken yet, in the order of their first change."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._waiting: dict[str, None] = dict.fromkeys(ids)
        self._news = asyncio.Event()
        self.closed = False
        if self._waiting:
            self._news.set()

    def put(self, approval_id: str) -> None:
        """The approval is another now."""
        self._waiting[approval_id] = None
        self._news.set()

    def close(self) -> None:
        """Nothing more comes; what waits may still be taken."""
        self.closed = True
        self._news.set()

    async def news(self, seconds: float | None = None) -> bool:
        """Waits until there is something to take, or the feed is closed; False when `seconds` passed before."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def take(self) -> list[str]:
        """Everything that waits."""
        taken, self._waiting = list(self._waiting), {}
        if not self.closed:
            self._news.clear()
        return taken


def position_text(positions: Positions) -> str:
    """`r3.0.7.1s2.0.5.0`: the offsets of `approvals.requested` and of `approvals.settled`, by partition."""
    return "".join(
        letter + ".".join(map(str, _offsets(positions, topic))) for letter, topic in LETTERS.items()
    )


def positions_of(text: str) -> Positions | None:
    """What `position_text` gave; None for anything else."""
    match = _POSITION.fullmatch(text)
    if match is None:
        return None
    return {
        (topic, partition): int(offset)
        for topic, offsets in zip(LETTERS.values(), match.groups(), strict=True)
        for partition, offset in enumerate(offsets.split("."))
    }


def _offsets(positions: Positions, topic: str) -> list[int]:
    count = max((partition + 1 for name, partition in positions if name == topic), default=1)
    return [positions.get((topic, partition), 0) for partition in range(count)]
