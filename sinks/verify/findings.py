"""What a check finds, how grave it is, and the report over all of it."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any

KEPT_MAX = 1_000


class Kind(StrEnum):
    """What is wrong, or has an explanation."""

    MODIFIED = "MODIFIED"
    MISSING = "MISSING"
    REORDERED = "REORDERED"
    DUPLICATE = "DUPLICATE"
    TRUNCATED = "TRUNCATED"
    FORKED = "FORKED"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    UNCHECKPOINTED_TAIL = "UNCHECKPOINTED_TAIL"
    EXPIRED_BY_POLICY = "EXPIRED_BY_POLICY"


class Verdict(IntEnum):
    """The whole answer; its number is the exit code."""

    SOUND = 0
    TAMPERED = 1
    INCOMPLETE = 2
    CANNOT_CHECK = 3


class VerifyError(RuntimeError):
    """The check cannot be made. The message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. Offsets (inclusive) are of topic `audit`; -1 and '' where there is none.

    `upstream`: what lacks was lacking before anything was signed, so no signature is contradicted.
    """

    kind: Kind
    partition: int
    first_offset: int = -1
    last_offset: int = -1
    frame_id: str = ""
    lane: str = ""
    lane_seq: int = -1
    detail: str = ""
    upstream: bool = False

    @property
    def rows(self) -> int:
        """How many rows it is about; 1 where it is about something else."""
        return self.last_offset - self.first_offset + 1 if self.first_offset >= 0 else 1

    @property
    def verdict(self) -> Verdict:
        """What the finding alone makes of the whole."""
        if self.kind is Kind.EXPIRED_BY_POLICY:
            return Verdict.SOUND
        if self.kind is Kind.UNCHECKPOINTED_TAIL or self.upstream:
            return Verdict.INCOMPLETE
        return Verdict.TAMPERED

    def as_json(self) -> dict[str, Any]:
        """For machines: what it has."""
        given = {
            "kind": self.kind.value,
            "verdict": self.verdict.name.lower(),
            "partition": self.partition,
            "first_offset": self.first_offset,
            "last_offset": self.last_offset,
            "frame_id": self.frame_id,
            "lane": self.lane,
            "lane_seq": self.lane_seq,
            "detail": self.detail,
        }
        return {name: value for name, value in given.items() if value not in ("", -1)}


@dataclass(slots=True)
class Coverage:
    """How far the signatures of one partition reach: leaves 0 until `size`, from `base_offset` on.

    `rows` were checked, `repeats` of them from their twins; `signed_at` is what the last note says, `witnesses` how
    many of those in the policy vouch for it; `root` is hex.
    """

    partition: int
    base_offset: int = 0
    size: int = 0
    root: str = ""
    signed_at: str = ""
    witnesses: int = 0
    checkpoints: int = 0
    rows: int = 0
    repeats: int = 0
    expired: int = 0
    lanes: int = 0
    stamped_at: str = ""
    note: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


@dataclass(slots=True)
class Report:
    """All findings (at most `KEPT_MAX` of them spelled out, all of them counted) and the coverage by partition."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    coverage: list[Coverage] = field(default_factory=list)
    worst: Verdict = Verdict.SOUND
    notes: list[str] = field(default_factory=list)
    cannot: str = ""

    def add(self, finding: Finding) -> None:
        """One more finding."""
        self.counts[finding.kind] += 1
        weights = (Verdict.SOUND, Verdict.INCOMPLETE, Verdict.TAMPERED)
        self.worst = max(self.worst, finding.verdict, key=weights.index)
        if len(self.findings) < KEPT_MAX:
            self.findings.append(finding)

    def place(self, number: int, lane: str, seq: int) -> None:
        """Finding `number` turned out to be about this lane."""
        self.findings[number] = replace(self.findings[number], lane=lane, lane_seq=seq)

    @property
    def rows(self) -> int:
        """How many rows were checked."""
        return sum(part.rows for part in self.coverage)

    @property
    def verdict(self) -> Verdict:
        """What it comes to. A trail where nothing is signed by a known key could not be checked at all."""
        return Verdict.CANNOT_CHECK if self.cannot else self.worst
