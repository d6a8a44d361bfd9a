"""What is usual: the closed windows of one key, and the levels of its peers. Pure numbers.

A closed window is learned with at most the limit that was in force, so that who is caught does not teach us to look
away. The scale has a floor: where a key always does exactly the same, one more is not a deviation.
"""

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import median
from typing import NamedTuple

from processors.anomaly.rules import Learned

HISTORY_MAX = 32
MEMBERS_MAX = 128
_ALPHA = 0.2  # an EWMA over about nine windows
_MAD_TO_SIGMA = 1.4826  # for normally distributed values
_BUSY = 0.9
_RELATIVE_FLOOR = 0.1
LEVEL_WINDOWS = 5
"""Closed windows after which a key's level counts among its peers."""


class Usual(NamedTuple):
    """A centre, its scale, and from how many values."""

    centre: float
    scale: float
    of: int

    def limit(self, score: float) -> float:
        """The value that lies `score` scales above the centre."""
        return self.centre + score * self.scale


def usual(values: Sequence[float], learned: Learned) -> Usual | None:
    """What the values say; None when they are too few for `learned`."""
    if not values or len(values) < learned.periods:
        return None
    centre, scale = _ewma(values) if learned.by == "ewma" else _robust(values)
    return Usual(centre, max(scale, _floor(centre)), len(values))


def busy(values: Sequence[float]) -> float:
    """The level that a key reaches in one of ten windows: what its peers are compared with."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(_BUSY * len(ordered)))]


def _floor(centre: float) -> float:
    """The deviation of counts that come by chance (Poisson), at least 1 and a tenth of the centre (for bytes)."""
    return max(1.0, sqrt(max(centre, 0.0)), _RELATIVE_FLOOR * centre)


def _robust(values: Sequence[float]) -> tuple[float, float]:
    centre = median(values)
    return centre, _MAD_TO_SIGMA * median(abs(value - centre) for value in values)


def _ewma(values: Iterable[float]) -> tuple[float, float]:
    """Moving mean and deviation, oldest value first (Finch, "Incremental calculation", 2009, section 9)."""
    mean, variance, first = 0.0, 0.0, True
    for value in values:
        if first:
            mean, first = value, False
            continue
        step = _ALPHA * (value - mean)
        mean += step
        variance = (1 - _ALPHA) * (variance + step * (value - mean + step))
    return mean, sqrt(max(variance, 0.0))
