"""Times asked for: from when to when, and in how many buckets."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from sinks.readers import BUCKETS_MAX, ReadError
from sinks.rows import iso

_DEFAULT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Span:
    """`since` to `until`, cut into `buckets` of whole `seconds`; the last one may reach further."""

    since: datetime
    until: datetime
    seconds: int
    buckets: int

    @property
    def since_text(self) -> str:
        """`since` in ISO form."""
        return iso(self.since)

    @property
    def until_text(self) -> str:
        """`until` in ISO form."""
        return iso(self.until)

    def starts(self) -> list[str]:
        """When each bucket begins, in ISO form."""
        return [iso(self.since + timedelta(seconds=self.seconds * at)) for at in range(self.buckets)]


def span(since: str, until: str, buckets: int, now: datetime | None = None) -> Span:
    """The time from `since` to `until` in at most so many buckets; the last 24 hours where these are ''.

    Raises ReadError for what is no time, a time that ends before it begins, and too many buckets.
    """
    if not 1 <= buckets <= BUCKETS_MAX:
        raise ReadError(f"buckets must lie between 1 and {BUCKETS_MAX}")
    end = moment(until) if until else now or datetime.now(UTC)
    start = moment(since) if since else end - _DEFAULT
    if start >= end:
        raise ReadError(f"since ({iso(start)}) must lie before until ({iso(end)})")
    length = (end - start).total_seconds()
    seconds = max(1, ceil(length / buckets))
    return Span(start, end, seconds, ceil(length / seconds))


def moment(text: str) -> datetime:
    """The ISO time `text`, in UTC where it names no zone. Raises ReadError when it is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ReadError(f"{text!r} is no time; write for instance 2026-11-21T10:00:00Z") from None
