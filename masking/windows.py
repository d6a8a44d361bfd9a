"""Windows: the few stretches of a text in which `re` has to look, from the ends that the engine reports.

Every match of a pattern of width W contains the end e of one of its hits, at most R after its begin, so it lies in
[e - R, e + W]: R is the width of what the engine looks for, often far less than W.
Windows that touch are joined; a match that begins before a window would have a hit of its own, and its
window would have been joined. So `re` over the windows finds exactly what `re` over the whole text finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from masking.patterns import MARGIN


def windows(ends: list[int], reach: int, width: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Joined windows (start, end of the last hit, stop), in order, around hits with these ends (ascending)."""
    reach, width = reach + MARGIN, width + MARGIN
    start, last = ends[0] - reach, ends[0]
    for end in ends:
        if end - reach > last + width:
            yield max(0, start), last, min(size, last + width)
            start = end - reach
        last = end
    yield max(0, start), last, min(size, last + width)


def matches(
    pattern: re.Pattern[str], view: str, ends: list[int], reach: int, width: int
) -> Iterator[re.Match[str]]:
    """What `pattern.finditer(view)` yields, by looking into the windows only."""
    for start, last, stop in windows(ends, reach, width, len(view)):
        match = pattern.search(view, start, stop)
        while match:
            yield match
            place = match.end()
            match = pattern.search(view, place, stop) if place <= last else None
