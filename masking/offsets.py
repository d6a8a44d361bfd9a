"""Offsets in a decoded text, mapped back to the raw text it was decoded from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable


class OffsetMap:
    """For a raw text in which every match of `escape` stands for what `unescape` makes of it."""

    def __init__(self, raw: str, escape: re.Pattern[str], unescape: Callable[[re.Match[str]], str]) -> None:
        self._decoded, self._raw = [0], [0]
        shift = 0
        for match in escape.finditer(raw):
            width = len(unescape(match))
            start = match.start() - shift
            # Both edges of an escape are marks, so that an offset inside of it goes to its beginning.
            self._mark(start, match.start())
            shift += len(match.group()) - width
            self._mark(start + width, match.end())

    def _mark(self, decoded: int, raw: int) -> None:
        self._decoded.append(decoded)
        self._raw.append(raw)

    def raw(self, offset: int) -> int:
        """The raw offset of this decoded offset."""
        index = bisect_right(self._decoded, offset) - 1
        return self._raw[index] + offset - self._decoded[index]
