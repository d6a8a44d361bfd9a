"""Frames of SPDY/3.1 out of bytes that are cut anywhere.

A control frame is given when it is whole, for its half says nothing; of a data frame each part is given as it comes.
Source: SPDY Protocol, Draft 3.1, section 2.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.kubernetes.spdy_headers import SpdyError

HEAD_BYTES = 8
CONTROL_BYTES_MAX = 64 * 1024
VERSION = 3
FIN = 0x01

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
NAMES = {
    SYN_STREAM: "SYN_STREAM",
    SYN_REPLY: "SYN_REPLY",
    RST_STREAM: "RST_STREAM",
    SETTINGS: "SETTINGS",
    PING: "PING",
    GOAWAY: "GOAWAY",
    HEADERS: "HEADERS",
    WINDOW_UPDATE: "WINDOW_UPDATE",
}
_BYTES_MIN = {SYN_STREAM: 10, RST_STREAM: 8, GOAWAY: 8, WINDOW_UPDATE: 8}
_BYTES_MIN_OF_OTHERS = 4


@dataclass(frozen=True, slots=True)
class Control:
    """A whole control frame. `raw` are its bytes as they came."""

    kind: int
    flags: int
    payload: bytes
    raw: bytes

    @property
    def stream(self) -> int:
        """The stream it is about; 0 for the connection."""
        if self.kind in (SETTINGS, PING, GOAWAY):
            return 0
        return int.from_bytes(self.payload[:4], "big") & 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Data:
    """A part of a data frame. `raw` has the frame's head before it where it is the first; `fin`: nothing follows."""

    stream: int
    payload: bytes
    raw: bytes
    fin: bool


class FrameReader:
    """The frames of one direction."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._stream = self._left = 0  # of the data frame that goes on
        self._fin = False
        self._head = b""

    def feed(self, data: bytes) -> Iterator[Control | Data]:
        """What `data` completes or continues. Raises SpdyError."""
        self._buffer += data
        while self._buffer:
            frame = self._data() if self._left else self._next()
            if frame is None:
                return
            yield frame

    @property
    def rest(self) -> bytes:
        """What has come of a frame that is not whole."""
        return self._head + bytes(self._buffer)

    def _next(self) -> Control | Data | None:
        if len(self._buffer) < HEAD_BYTES:
            return None
        flags, size = self._buffer[4], int.from_bytes(self._buffer[5:8], "big")
        if self._buffer[0] & 0x80:
            return self._control(flags, size)
        self._stream = int.from_bytes(self._buffer[:4], "big")
        self._head, self._left, self._fin = self._take(HEAD_BYTES), size, bool(flags & FIN)
        return self._data() if self._buffer or not size else None

    def _control(self, flags: int, size: int) -> Control | None:
        version, kind = (
            int.from_bytes(self._buffer[:2], "big") & 0x7FFF,
            int.from_bytes(self._buffer[2:4], "big"),
        )
        if version != VERSION or kind not in NAMES:
            raise SpdyError(f"no control frame of SPDY/3.1: version {version}, type {kind}")
        if not _BYTES_MIN.get(kind, _BYTES_MIN_OF_OTHERS) <= size <= CONTROL_BYTES_MAX:
            raise SpdyError(f"a {NAMES[kind]} frame of {size} bytes; at most {CONTROL_BYTES_MAX} are taken")
        if len(self._buffer) < HEAD_BYTES + size:
            return None
        raw = self._take(HEAD_BYTES + size)
        return Control(kind, flags, raw[HEAD_BYTES:], raw)

    def _data(self) -> Data:
        payload = self._take(min(self._left, len(self._buffer)))
        self._left -= len(payload)
        raw, self._head = self._head + payload, b""
        return Data(self._stream, payload, raw, self._fin and not self._left)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken
