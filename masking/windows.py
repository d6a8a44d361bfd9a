"""Windows: the few stretches of a text in which `re` has to look, from the ends that the engine reports.

Every match of a pattern of width W contains the end e of one of its hits, so it lies in [e - W, e + W].
Windows that touch are joined; a match that begins before a window would have a hit of its own, and its
window would have been joined. So `re` over the windows finds exactly what `re` over the whole text finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from masking.patterns import MARGIN


def windows(ends: list[int], width: int, size: int) -> Iterator[tuple[int, int]]:
    """Joined windows, in order, around hits with these ends (ascending) in a text of `size` bytes."""
    reach = width + MARGIN
    start, stop = ends[0] - reach, ends[0] + reach
    for end in ends:
        if end - reach > stop:
            yield max(0, start), min(size, stop)
            start = end - reach
        stop = end + reach
    yield max(0, start), min(size, stop)


def matches(pattern: re.Pattern[str], view: str, ends: list[int], width: int) -> Iterator[re.Match[str]]:
    """What `pattern.finditer(view)` yields, by looking into the windows only."""
    for start, stop in windows(ends, width, len(view)):
        yield from pattern.finditer(view, start, stop)
