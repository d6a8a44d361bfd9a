"""Durations as people write them: `90s`, `30m`, `2h`, `7d`."""

import re
from typing import Final

DAY: Final = 86_400
SECONDS_MAX: Final = 3_650 * DAY
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": DAY}
_WRITTEN: Final = re.compile(r"([0-9]{1,9})([smhd])")


def seconds_in(text: str) -> int:
    """`2h` → 7200. Raises ValueError for what is written otherwise, is no time at all, or is over ten years."""
    match = _WRITTEN.fullmatch(text)
    span = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < span <= SECONDS_MAX:
        raise ValueError("write a time such as 90s, 30m, 2h or 7d")
    return span


def written(seconds: int) -> str:
    """7200 → `2h`: in the largest unit that leaves no rest."""
    unit = max((name for name in _UNITS if seconds % _UNITS[name] == 0), key=lambda name: _UNITS[name])
    return f"{seconds // _UNITS[unit]}{unit}"
