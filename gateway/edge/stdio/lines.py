"""Bytes to lines and back, without I/O. One line is one message.

Source: Model Context Protocol, "Transports", stdio: messages are delimited by newlines and hold none.
"""

_TO_BLANKS = bytes.maketrans(b"\r\n", b"  ")


class LineTooLongError(ValueError):
    """A line grew over the limit before it ended."""


def one_line(body: bytes) -> bytes:
    """`body` as a line with its newline. `body` must be JSON: there a raw line end is a blank between tokens."""
    return body.translate(_TO_BLANKS) + b"\n"


def event_safe(line: bytes) -> bytes:
    """`line` without carriage returns, which end a line of an event stream; in JSON they are blanks too."""
    return line.translate(_TO_BLANKS) if b"\r" in line else line


class LineSplitter:
    """Cuts a stream at its newlines. Lines come without their line end (LF or CRLF)."""

    def __init__(self, line_bytes_max: int) -> None:
        self._limit = line_bytes_max
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, in order. Raises LineTooLongError."""
        *ended, rest = data.split(b"\n")
        if ended:
            ended[0] = b"".join([*self._parts, ended[0]])
            self._parts, self._held = [], 0
        if rest:
            self._parts.append(rest)
            self._held += len(rest)
        if self._held > self._limit or any(len(line) > self._limit for line in ended):
            raise LineTooLongError(f"a line is longer than {self._limit} bytes")
        return [line.removesuffix(b"\r") for line in ended]
