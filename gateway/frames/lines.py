"""One line, one frame: watches of Kubernetes, newline-delimited JSON. No byte is lost or changed."""

from gateway.frames.sse import EventTooLongError


class LineSplitter:
    """Cuts a stream behind each line feed. A blank line is a frame too: it keeps a stream alive."""

    quiet_seconds = None

    def __init__(self, line_bytes_max: int) -> None:
        self._limit = line_bytes_max
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, in order, each with its end. Raises EventTooLongError."""
        self._buffer += data
        lines: list[bytes] = []
        start, end = 0, self._buffer.find(b"\n", self._searched) + 1
        while end:
            lines.append(bytes(self._buffer[start:end]))
            start, end = end, self._buffer.find(b"\n", end) + 1
        del self._buffer[:start]
        self._searched = len(self._buffer)
        if self._searched > self._limit or any(len(line) > self._limit for line in lines):
            raise EventTooLongError(f"a line is longer than {self._limit} bytes")
        return lines

    def quiet(self) -> bytes:
        """Nothing: half a line says nothing yet."""
        return b""

    def rest(self) -> bytes:
        """What came after the last line; asked for when the stream has ended."""
        return bytes(self._buffer)
