"""Follows a chunked body to its end by the strict grammar of RFC 9112, 7.1. Extensions are let pass, within bounds;
trailers are refused, since nobody behind us could tell them from headers."""

import re

from gateway.edge.guard.faults import FaultError

CHUNKS_MAX = 65_536
SIZE_LINE_MAX = 256
_TOKEN = rb"[\w!#$%&'*+\-.^`|~]+"
_EXTENSION = rb";" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|\"[^\"\\\x00-\x1f\x7f]*\"))?"
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:" + _EXTENSION + rb")*\r\n")
_FAULTY_LINE = re.compile(rb"[^\r\n]*(?:\n|\r[^\n])")


class Chunks:
    """One chunked body. `done` once its end has come."""

    def __init__(self) -> None:
        self.done = False
        self._rest = b""  # the beginning of a line or terminator whose end has not come
        self._left = 0  # bytes of the chunk under way that have not come, its CR LF included
        self._last = False
        self._count = 0

    def feed(self, data: bytes) -> int:
        """How many bytes of `data` belong to the body; fewer than all only when it is done. Raises FaultError."""
        position = 0
        while not self.done and position < len(data):
            position = self._over_chunk(data, position) if self._left else self._over_line(data, position)
        return position

    def _over_chunk(self, data: bytes, position: int) -> int:
        """Past what is here of the chunk and the CR LF at its end."""
        step = min(self._left, len(data) - position)
        left = self._left - step
        for place, wanted in ((2, b"\r"), (1, b"\n")):  # byte `place` from the chunk's end
            if left < place <= self._left:
                at = position + self._left - place
                if data[at : at + 1] != wanted:
                    raise FaultError("malformed_chunk", self._misplaced())
        self._left = left
        if not left and self._last:
            self.done = True
        return position + step

    def _misplaced(self) -> str:
        return "trailers are not taken" if self._last else "a chunk does not end where its size says"

    def _over_line(self, data: bytes, position: int) -> int:
        """Past a line with a size, as far as it is here."""
        held = len(self._rest)
        line = self._rest + data[position : position + SIZE_LINE_MAX]
        found = _SIZE_LINE.match(line)
        if found is None:
            self._check_partial(line)
            self._rest = line
            return position + len(line) - held
        self._rest = b""
        self._begin(int(found[1], 16))
        return position + found.end() - held

    def _begin(self, size: int) -> None:
        self._count += 1
        if self._count > CHUNKS_MAX:
            raise FaultError("malformed_chunk", f"over {CHUNKS_MAX} chunks")
        self._last = size == 0
        self._left = size + 2  # after the last chunk the same CR LF must follow: a trailer is in its place

    @staticmethod
    def _check_partial(line: bytes) -> None:
        if len(line) >= SIZE_LINE_MAX or _FAULTY_LINE.match(line) or b"\n" in line:
            raise FaultError("malformed_chunk", "a size, or what follows it")
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}(?:;.*)?\r?", line, re.DOTALL):
            raise FaultError("malformed_chunk", "a size is no hexadecimal number")
