"""The labels: which misuse happened when, by whom, to what."""

from __future__ import annotations

from dataclasses import dataclass

PATTERNS = (
    "repeated-secret-reads",
    "cluster-wide-scan",
    "token-surge",
    "credential-extraction",
    "denied-then-around",
    "stolen-credential",
    "exfiltration-by-volume",
    "approval-burst",
    "pseudonym-travel",
    "changed-tool",
)


@dataclass(frozen=True, slots=True)
class Episode:
    """One injected misuse. Times are event times of its first and last act (UTC, microseconds)."""

    pattern: str
    variant: str
    number: int
    begins: int
    ends: int
    principals: tuple[str, ...]
    objects: frozenset[str]
    acts: int
