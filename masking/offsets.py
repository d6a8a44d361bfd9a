"""Offsets in a decoded text, mapped back to the raw text it was decoded from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import Protocol


class Offsets(Protocol):
    """The way back from a decoded text to its raw one."""

    def raw(self, offset: int) -> int:
        """The raw offset of this decoded offset."""
        ...


class ShortEscapes:
    """For a text of which nothing was escaped but the seven signs of JSON that have to be, by two characters each.

    Asked for ascending offsets it counts each part once.
    """

    def __init__(self, plain: str) -> None:
        self._plain = plain
        self._seen = self._escaped = 0

    def raw(self, offset: int) -> int:
        """The raw offset: one more for each sign before it."""
        if offset < self._seen:
            self._seen = self._escaped = 0
        self._escaped += sum(self._plain.count(sign, self._seen, offset) for sign in _SIGNS)
        self._seen = offset
        return offset + self._escaped


_SIGNS = '"\\\n\t\r\b\f'


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
