"""Findings of the completeness check (schema `finding`), as records for topic `findings`."""

from collections.abc import Callable
from uuid import UUID, uuid5

from processors.intervals import Range, text, total
from processors.records import Outgoing
from schemas.codec import codec

RULE = "trail-incomplete"
NAMESPACE = UUID("6f1c7d52-3c35-5d0a-9a55-0f3c6f0e8b11")

Clock = Callable[[], int]
"""UTC in microseconds."""


def missing(partition: int, ranges: list[Range], now: Clock) -> Outgoing:
    """Committed frames are not in `audit`; they are being driven again."""
    title = f"{total(ranges)} processed frames of frames-{partition} are missing in audit; driving them again"
    return _finding("missing", partition, ranges, title, now)


def expired(partition: int, ranges: list[Range], now: Clock) -> Outgoing:
    """Frames are gone from `frames` and were never seen in `audit`: they are lost."""
    title = f"{total(ranges)} frames of frames-{partition} expired before they were seen in audit: lost"
    return _finding("expired", partition, ranges, title, now)


def _finding(kind: str, partition: int, ranges: list[Range], title: str, now: Clock) -> Outgoing:
    """The id comes from the evidence, so that the same finding raised twice is one finding."""
    place = f"frames-{partition}: {text(ranges)}"
    record = {
        "finding_id": str(uuid5(NAMESPACE, f"{RULE}:{kind}:{partition}:{ranges}")),
        "rule": RULE,
        "severity": "critical",
        "raised_at": now(),
        "title": title,
        "evidence": [place, f"frames: {total(ranges)}"],
    }
    return Outgoing("findings", 0, RULE.encode(), codec("finding").encode(record))
