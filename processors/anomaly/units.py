"""Lengths of time in files of rules: `90s`, `10m`, `24h`, `7d`."""

import re

from processors.anomaly.rules import DAY_US, HOUR_US, MINUTE_US
from processors.anomaly.source import Spot

SECOND_US = 1_000_000
_DURATION = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_UNITS = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US}


def micros(text: str) -> int | None:
    """The duration in microseconds; None for what is none."""
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def duration_of(spot: Spot, *, least: int = 0, most: int = 100 * DAY_US) -> int:
    """A duration from `least` to `most` microseconds; `least` after a fault."""
    value = spot.value()
    found = micros(value) if isinstance(value, str) else 0 if value == 0 else None
    if found is None:
        spot.fault("must be a length of time: `90s`, `10m`, `24h` or `7d`")
    elif not least <= found <= most:
        spot.fault(f"must be from {least // SECOND_US} s to {most // SECOND_US} s")
    else:
        return found
    return least
