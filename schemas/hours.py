"""Working hours: `mon-fri 08:00-18:00, sat 09:00-12:00 Europe/Berlin`.

A window past midnight belongs to its first day."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)")
_DAY_MINUTES = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """Weekdays (0 is Monday), and minutes of the day: open from `start` until before `end`."""

    days: frozenset[int]
    start: int
    end: int

    def holds(self, day: int, minute: int) -> bool:
        """Whether it is open at that minute of that weekday."""
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or (
            (day - 1) % 7 in self.days and minute < self.end
        )


@dataclass(frozen=True, slots=True)
class Hours:
    """Windows in one time zone; without windows it is always open."""

    windows: tuple[Window, ...]
    zone: ZoneInfo | None

    def open_at(self, microseconds: int) -> bool:
        """Whether it is open at that time, UTC in microseconds."""
        if not self.windows:
            return True
        local = (_EPOCH + timedelta(microseconds=microseconds)).astimezone(self.zone)
        return any(window.holds(local.weekday(), local.hour * 60 + local.minute) for window in self.windows)


def hours(text: str) -> Hours:
    """Raises ValueError for what is not written like the example above, or names no zone that is known here."""
    if not text:
        return Hours((), None)
    windows, _, zone = text.strip().rpartition(" ")
    try:
        return Hours(tuple(_window(each.strip()) for each in windows.split(",")), ZoneInfo(zone))
    except (OSError, KeyError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"{text!r} is not like `mon-fri 08:00-18:00 Europe/Berlin`") from error


def _window(text: str) -> Window:
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError(text)
    first, last, *clock = found.groups()
    start, end = int(clock[0]) * 60 + int(clock[1]), int(clock[2]) * 60 + int(clock[3])
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or start == end:
        raise ValueError(text)
    one, other = _DAYS.index(first), _DAYS.index(last or first)
    return Window(frozenset((one + step) % 7 for step in range((other - one) % 7 + 1)), start, end)
