"""The books of the completeness check for one partition of `frames`. Pure: positions in, judgements out.

The check reads `audit` and `dead-letters` and notes which frames it has seen. Everything below the *watermark* is
accounted for; above it stands what was seen out of order. A *mark* is an appointment: all offsets below `upto`
were committed by the masking group before the ends of the logs in the mark were read, so once reading has passed
those ends, what is below `upto` and was not seen is missing.

What is kept in Kafka is the watermark and a *resume point*: the positions at which everything seen was below the
watermark. Reading again from there sees everything else again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from processors.intervals import IntervalSet, Range, total

RANGES_KEPT = 50

Positions = dict[int, int]
"""Position by partition, in the topic `dead-letters`."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to start reading `audit` and `dead-letters` again."""

    audit: int
    dead_letters: Positions


@dataclass(frozen=True, slots=True)
class Mark:
    """Offsets of `frames` below `upto` must have been seen once reading has passed the given ends."""

    upto: int
    audit_end: int
    dead_letter_ends: Positions

    def passed(self, audit: int, dead_letters: Mapping[int, int]) -> bool:
        """Whether reading has come far enough to judge."""
        return audit >= self.audit_end and all(
            dead_letters.get(partition, 0) >= end for partition, end in self.dead_letter_ends.items()
        )


@dataclass(slots=True)
class Ledger:
    """One partition. `missing` is what the last judgement found and has not turned up since;
    a restored ledger knows the first ranges of it only, and the number in `missing_frames`."""

    partition: int
    watermark: int
    resume: Resume
    redriven: int = 0
    expired: int = 0
    missing: list[Range] = field(default_factory=list)
    missing_frames: int = 0
    mark: Mark | None = None
    _seen: IntervalSet = field(default_factory=IntervalSet)

    def saw(self, offset: int) -> None:
        """A result of the frame at `offset` is in `audit` or `dead-letters` (or the log has no such frame)."""
        if offset >= self.watermark:
            self._seen.add(offset, offset + 1)

    def account(self, ranges: list[Range]) -> None:
        """Nothing will come for these any more: they are lost, or were never records."""
        for start, end in ranges:
            self._seen.add(max(start, self.watermark), max(end, self.watermark))

    def read_to(self, audit: int, dead_letters: Mapping[int, int]) -> None:
        """All records before these positions have been noted."""
        self.watermark = self._seen.take_from(self.watermark)
        if self.missing:
            self._lacks([hole for start, end in self.missing for hole in self._holes(start, end)])
        if not self._seen:
            self.resume = Resume(audit, dict(dead_letters))

    def judge(self, audit: int, dead_letters: Mapping[int, int]) -> list[Range]:
        """The missing ranges, when the mark is passed; clears it. Empty while it is not, or when all is there."""
        if self.mark is None or not self.mark.passed(audit, dead_letters):
            return []
        self._lacks(self._holes(self.watermark, self.mark.upto))
        self.mark = None
        return self.missing

    def _lacks(self, ranges: list[Range]) -> None:
        self.missing, self.missing_frames = ranges, total(ranges)

    def _holes(self, start: int, end: int) -> list[Range]:
        return self._seen.holes(max(start, self.watermark), end)

    # -- what Kafka keeps

    def kept(self) -> str:
        """The state for the commit's metadata: short JSON."""
        return json.dumps(
            {
                "watermark": self.watermark,
                "dead_letters": self.resume.dead_letters,
                "redriven": self.redriven,
                "expired": self.expired,
                "missing": self.missing_frames,
                "ranges": self.missing[:RANGES_KEPT],
            },
            separators=(",", ":"),
        )

    @classmethod
    def restored(cls, partition: int, audit: int, kept: str) -> "Ledger":
        """A ledger from a commit. Raises ValueError when the metadata is not ours."""
        try:
            state = json.loads(kept)
            dead_letters = {int(number): int(at) for number, at in state["dead_letters"].items()}
            ledger = cls(partition, int(state["watermark"]), Resume(audit, dead_letters))
            ledger.redriven, ledger.expired = int(state["redriven"]), int(state["expired"])
            ledger.missing = [(int(start), int(end)) for start, end in state["ranges"]]
            ledger.missing_frames = int(state["missing"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not the state of a ledger: {type(error).__name__}") from error
        return ledger
