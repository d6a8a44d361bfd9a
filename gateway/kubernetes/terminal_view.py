"""What a person would read of bytes that go to a terminal: without colours, and without the breaks of long lines.

`grep --color` puts escape sequences between a name and its value, readline breaks a long line with a space and a
carriage return: the masking would see pieces.
"""

import re
from bisect import bisect_right

_UNSEEN = re.compile(rb"\x1b\[[0-9;?]*[mKhl]| \r(?=[^\n\r])")
"""Sequences that move nothing and hold no text (colours, erase the rest of a line, modes); breaks of readline."""

_TEXT = frozenset([*b"\t\r\n", *range(0x20, 0x7F)])
_ISLANDS = bytes(byte if byte in _TEXT else 0x0A for byte in range(256))
"""Of bytes that are no text the islands of ASCII in them, each on a line of its own."""


class View:
    """`text` as it is read, and the way back from its offsets to those of the bytes it was made of."""

    def __init__(self, raw: bytes, *, binary: bool = False) -> None:
        self._cuts: list[int] = []  # offsets in the view behind which something was left out
        self._skipped: list[int] = []  # bytes left out up to there
        text = self._without(raw) if b"\x1b[" in raw or b" \r" in raw else raw
        self.text = text.translate(_ISLANDS) if binary or b"\0" in text else text

    def raw(self, offset: int, *, end: bool = False) -> int:
        """The offset in the bytes. As an `end` it does not take in what was left out behind it."""
        index = bisect_right(self._cuts, offset - end) - 1
        return offset + (self._skipped[index] if index >= 0 else 0)

    def _without(self, text: bytes) -> bytes:
        parts, at, skipped = [], 0, 0
        for match in _UNSEEN.finditer(text):
            parts.append(text[at : match.start()])
            at = match.end()
            self._cuts.append(match.start() - skipped)
            skipped += at - match.start()
            self._skipped.append(skipped)
        parts.append(text[at:])
        return b"".join(parts)
