"""Offsets in a decoded text, mapped back to the raw text it was decoded from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate


class OffsetMap:
    """For a raw text in which every match of `escape` (one group around all of it) has `width` decoded
    characters.

    The text is cut into plain pieces and escapes by turns; two running sums lead from one text to the
    other.
    """

    def __init__(self, raw: str, escape: re.Pattern[str], width: Callable[[str], int]) -> None:
        pieces = escape.split(raw)
        sizes = list(map(len, pieces))
        widths = sizes.copy()
        widths[1::2] = [1 if len(piece) == 2 else width(piece) for piece in pieces[1::2]]
        self._raw = list(accumulate(sizes, initial=0))
        self._decoded = list(accumulate(widths, initial=0))

    def raw(self, offset: int) -> int:
        """The raw offset of this decoded offset; one inside of an escape goes to its beginning."""
        index = min(bisect_right(self._decoded, offset) - 1, len(self._raw) - 1)
        inside = 0 if index % 2 else offset - self._decoded[index]
        return self._raw[index] + inside
