"""Offsets in a decoded text, mapped back to the raw text it was decoded from."""

from __future__ import annotations

import json
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


_ENCODE = json.encoder.encode_basestring


class Encoded:
    """For a raw text that was written as the standard library writes JSON: its encoder tells the lengths, and shows
    that it is so. From the first place on where it is not, `otherwise` makes the map to go by.

    Asked for ascending offsets it encodes each part once.
    """

    def __init__(self, raw: str, plain: str, otherwise: Callable[[], Offsets]) -> None:
        self._text, self._plain, self._otherwise = raw, plain, otherwise
        self._seen = self._raw = 0
        self._map: Offsets | None = None

    def raw(self, offset: int) -> int:
        """The raw offset: as long as what stands before it, encoded."""
        if offset < self._seen:
            self._seen = self._raw = 0
        part = _ENCODE(self._plain[self._seen : offset])[1:-1]
        if self._map is None and not self._text.startswith(part, self._raw):
            self._map = self._otherwise()
        if self._map is not None:
            return self._map.raw(offset)
        self._raw += len(part)
        self._seen = offset
        return self._raw


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
