"""What a session remembers: the keyed digests of its secrets, each with the place and time it was learned at.

Pure. A frame at offset N is compared with what was learned *before* N, so a repeat of it gives the same bytes though
the memory has moved on. The secrets themselves are nowhere: see docs/decisions/0006.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from masking.deep import KNOWN_MAX

HELD_MAX = 2 * KNOWN_MAX
"""Digests held: those in use, and as many again for frames that are repeated after a crash."""

LEARNED_MAX = 64
"""Digests learned from one frame."""

SESSION_SECONDS = 24 * 3600
"""How long a digest is compared with; by the times of the frames, so that a repeat sees the same."""

FORGET_SECONDS = SESSION_SECONDS + 3600
"""When a session's memory goes: a frame driven again can be as old as this without noticing."""

Row = list[Any]
"""A memory as the table keeps it: [partition, [[digest, offset, seconds], …]], in the order of learning."""


@dataclass(slots=True)
class Memory:
    """The memory of one session on one partition of `frames`. `changed`: it has to be written again."""

    partition: int
    entries: list[tuple[str, int, int]] = field(default_factory=list)
    changed: bool = False

    @classmethod
    def restored(cls, partition: int, row: Row | None) -> "Memory":
        """From its row; an empty one for no row, and for one of another partition (partitions were added)."""
        if not row or row[0] != partition:
            return cls(partition)
        return cls(partition, [(str(digest), int(offset), int(at)) for digest, offset, at in row[1]])

    def known(self, offset: int, seconds: int) -> frozenset[str]:
        """The digests that a frame at `offset`, recorded at `seconds` (UTC), is compared with."""
        since = seconds - SESSION_SECONDS
        usable = [digest for digest, learned, at in self.entries if learned < offset and at >= since]
        return frozenset(usable[-KNOWN_MAX:])

    def learn(self, digests: Iterable[str], offset: int, seconds: int) -> None:
        """Remember what the frame at `offset` gave away. What is known already keeps its first place."""
        held = {digest: learned for digest, learned, _ in self.entries}
        for digest in list(dict.fromkeys(digests))[:LEARNED_MAX]:
            if digest not in held:
                self.entries.append((digest, offset, seconds))
                self.changed = True
            elif held[digest] >= offset:  # a repeat: the table has it, Kafka's copy of the table may not
                self.changed = True
        del self.entries[:-HELD_MAX]

    def row(self) -> Row:
        """What the table keeps."""
        return [self.partition, [list(entry) for entry in self.entries]]


def outlived(row: Row, seconds: int) -> bool:
    """Whether no frame recorded at `seconds` or later is compared with anything in this row."""
    return all(at < seconds - FORGET_SECONDS for _, _, at in row[1])
