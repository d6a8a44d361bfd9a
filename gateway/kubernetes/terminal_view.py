"""What a person would read of bytes that go to a terminal: without colours, and without the breaks of long lines.

`grep --color` puts escape sequences between a name and its value, readline breaks a long line with a space and a
carriage return: the masking would see pieces.
"""

import re
from bisect import bisect_right

_UNSEEN = re.compile(rb"\x1b\[[0-9;?]*[mKhl]| \r(?=[^\n\r])")
"""Sequences that move nothing and hold no text (colours, erase the rest of a line, modes); breaks of readline."""

_ZEROS = bytes.maketrans(b"\0", b"\n")


class View:
    """`text` as it is read, and the way back from its offsets to those of the bytes it was made of."""

    def __init__(self, raw: bytes) -> None:
        self._cuts: list[int] = []  # offsets in the view behind which something was left out
        self._skipped: list[int] = []  # bytes left out up to there
        text = raw.translate(_ZEROS) if b"\0" in raw else raw
        self.text = self._without(text) if b"\x1b[" in text or b" \r" in text else text

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
