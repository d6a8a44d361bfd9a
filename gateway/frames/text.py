"""Text and bytes that come in pieces: cut where the masking can see a secret whole, as soon as that is known.

Complete lines go at once, those of one piece together. What stands behind the last line end waits for its end, though
not long: a prompt or a row of dots is to be seen while it is written. A private key that has begun waits until it has
ended, since its lines say nothing one by one.
"""

import re
from dataclasses import dataclass, field

from gateway.frames.halves import KEY_BEGINS, KEY_BYTES_MAX, KEY_ENDS, half_character
from gateway.frames.sse import EventTooLongError

QUIET_SECONDS = 0.1  # then half a line goes as it is
TAIL_BYTES_MAX = 4096  # in what has no lines: how far back a good place to cut is looked for
# A line of a key, and before it what a log puts before each of its lines (a time, a stream, a level)
_KEY_LINE = re.compile(
    rb"(?:.{0,200}?[ \t])?(?:[A-Za-z0-9+/=]{16,200}|(?:Proc-Type|DEK-Info|Version|Comment|Charset): .{0,200})?\s*"
)
_SHORT_LINE = re.compile(rb"(?:.{0,200}?[ \t])?[A-Za-z0-9+/=]{1,15}\s*")
_TO_LAST_WORD = re.compile(rb"(?s:.*)[^A-Za-z0-9+/=_.~%-]")


@dataclass(slots=True)
class TextSplitter:
    """Cuts text at its lines. With `lined` off it also cuts bytes that have no lines, between two words.

    `quiet_seconds`: after so long without further bytes `quiet` may be asked; None while nothing may go early.
    """

    line_bytes_max: int
    lined: bool = True
    _buffer: bytearray = field(default_factory=bytearray)

    @property
    def quiet_seconds(self) -> float | None:
        """How long half a line waits for its other half."""
        return QUIET_SECONDS if self._early() else None

    def feed(self, data: bytes) -> list[bytes]:
        """What may go now: nothing, or one piece. Raises EventTooLongError when a line does not end."""
        self._buffer += data
        piece = self._taken(self._before_key(self._cut()))
        if len(self._buffer) > self.line_bytes_max:
            raise EventTooLongError(f"a line is longer than {self.line_bytes_max} bytes")
        return [piece] if piece else []

    def quiet(self) -> bytes:
        """What goes since nothing has followed it: half a line, but no part of a private key."""
        return self._taken(self._early())

    def rest(self) -> bytes:
        """What is left when the stream has ended."""
        return self._taken(len(self._buffer))

    def _taken(self, size: int) -> bytes:
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def _cut(self) -> int:
        size = len(self._buffer)
        if self.lined:
            return self._buffer.rfind(b"\n") + 1
        oldest = max(0, size - TAIL_BYTES_MAX)
        line = self._buffer.rfind(b"\n", oldest) + 1
        if line:
            return line
        found = _TO_LAST_WORD.match(self._buffer, oldest)
        return found.end() if found else size

    def _early(self) -> int:
        """How much may go although its line has not ended; a character of UTF-8 is not cut in two."""
        size = self._before_key(len(self._buffer))
        start = max(0, size - 3)
        return start + half_character(bytes(self._buffer[start:size]))

    def _before_key(self, cut: int) -> int:
        """`cut`, or the beginning of the line on which a private key begins that has not ended before it."""
        *_, begins = (None, *KEY_BEGINS.finditer(self._buffer, 0, cut))
        if begins is None or cut - begins.start() > KEY_BYTES_MAX:
            return cut
        if self._buffer.find(KEY_ENDS, begins.end(), cut) >= 0:
            return cut
        return self._buffer.rfind(b"\n", 0, begins.start()) + 1 if self._in_key(begins.end()) else cut

    def _in_key(self, start: int) -> bool:
        """Whether all whole lines from there on can be of a key. Only the last one of several may be short."""
        head, *lines = bytes(self._buffer[start:]).split(b"\n")
        if lines and head.strip():
            return False
        *whole, _begun = lines or [b""]
        if len(whole) > 1 and _SHORT_LINE.fullmatch(whole[-1]):
            whole.pop()
        return all(map(_KEY_LINE.fullmatch, whole))
