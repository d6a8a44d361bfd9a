"""The time that a page shows, as its URL has it. Pure; the clock is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SPANS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEFAULT = "24h"
LONGEST = timedelta(days=366)


class RangeError(ValueError):
    """The URL names no time; the text says what may be said."""


@dataclass(frozen=True, slots=True)
class Range:
    """From `since` until before `until`, ISO times in UTC. `span`: by its name, '' for one that was typed."""

    since: str
    until: str
    span: str

    @property
    def query(self) -> dict[str, str]:
        """What stands in a URL of the same time."""
        return {"range": self.span} if self.span else {"since": self.since, "until": self.until}


def range_of(given: Mapping[str, str], now: datetime) -> Range:
    """`range=24h`, or `since` and `until` as ISO times in UTC; the last day without any. Raises RangeError."""
    since, until = given.get("since", ""), given.get("until", "")
    if not since and not until:
        span = given.get("range") or DEFAULT
        if span not in SPANS:
            raise RangeError(f"range is one of {', '.join(SPANS)}")
        return Range(_text(now - SPANS[span]), _text(now), span)
    end = _moment("until", until) if until else now
    start = _moment("since", since) if since else end - SPANS[DEFAULT]
    if not timedelta() < end - start <= LONGEST:
        raise RangeError("`since` is before `until`, and not more than a year")
    return Range(_text(start), _text(end), "")


def _moment(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RangeError(f"{name} is a time such as 2026-07-28T12:00Z") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
