"""Server-sent events: a byte stream cut at the blank lines that end its events. No byte is lost or changed.

Source: WHATWG HTML, "Parsing an event stream": lines end with CRLF, LF or CR; a blank line ends an event.
"""

import re
from typing import NamedTuple

# A CR waits for the byte after it, lest a CR LF that comes in two pieces be cut apart; CR CR, as a stream ends its
# lines that never sends LF, does not wait (an LF after it goes to the next block, where it says nothing).
_BLANK_LINE = re.compile(rb"(?:\r\n|\n)(?:\r\n|\n|\r(?=[^\n]))|\r\r")
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_OVERLAP = 3  # what the search looks at, at most four bytes, less one


class EventTooLongError(ValueError):
    """An event grew over the limit before it ended."""


class EventFields(NamedTuple):
    """What an event block says: its id ('' without one) and its data lines joined by LF (b'' without any)."""

    id: str
    data: bytes


class EventSplitter:
    """Cuts a stream into blocks: an event or a comment, each with the blank line that ends it."""

    quiet_seconds = None

    def __init__(self, event_bytes_max: int) -> None:
        self._limit = event_bytes_max
        self._buffer = bytearray()
        self._searched = 0
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        """The blocks that `data` completes, in order. Raises EventTooLongError.

        A byte order mark before all else is a block of its own: clients skip it, and read the line behind it.
        """
        self._buffer += data
        blocks: list[bytes] = self._mark()
        start, search = 0, max(0, self._searched - _OVERLAP)
        while match := _BLANK_LINE.search(self._buffer, search):
            blocks.append(bytes(self._buffer[start : match.end()]))
            start = search = match.end()
        del self._buffer[:start]
        self._searched = len(self._buffer)
        if self._searched > self._limit or any(len(block) > self._limit for block in blocks):
            raise EventTooLongError(f"an event is longer than {self._limit} bytes")
        return blocks

    def quiet(self) -> bytes:
        """Nothing: half an event says nothing yet."""
        return b""

    def rest(self) -> bytes:
        """What came after the last blank line; asked for when the stream has ended."""
        return bytes(self._buffer)

    def _mark(self) -> list[bytes]:
        """The byte order mark, once, when the stream begins with one."""
        if self._begun or (len(self._buffer) < len(_BOM) and _BOM.startswith(self._buffer)):
            return []
        self._begun = True
        if not self._buffer.startswith(_BOM):
            return []
        del self._buffer[: len(_BOM)]
        return [_BOM]


def fields(block: bytes) -> EventFields:
    """Id and data of one block; a comment has neither."""
    event_id, data = "", []
    for line in _LINE_END.split(block):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value[1:] if value[:1] == b" " else value)
        elif name == b"id":
            event_id = (value[1:] if value[:1] == b" " else value).decode("utf-8", "replace")
    return EventFields(event_id, b"\n".join(data))


def data_lines(block: bytes) -> list[tuple[int, int]]:
    """Where the values of the data lines stand in `block`: joined by LF they are its data."""
    places, start = [], 0
    for end in (*_LINE_END.finditer(block), None):
        stop = end.start() if end else len(block)
        if block[start : start + 5] == b"data:":
            places.append((start + 5 + (block[start + 5 : start + 6] == b" "), stop))
        elif block[start:stop] == b"data":
            places.append((stop, stop))
        start = end.end() if end else stop
    return places


def silenced(block: bytes) -> bytes:
    """The block without its event and data lines: its id still counts where a stream is resumed."""
    kept, start = [], 0
    for end in _LINE_END.finditer(block):
        name = block[start : end.start()].partition(b":")[0]
        if name not in (b"data", b"event"):
            kept.append(block[start : end.end()])
        start = end.end()
    return b"".join(kept)


def event(data: bytes) -> bytes:
    """An event of type `message`; line ends in `data` become line feeds, which JSON takes as the space they are."""
    lines = b"\n".join(b"data: " + line for line in _LINE_END.split(data.removeprefix(_BOM)))
    return b"event: message\n" + lines + b"\n\n"
