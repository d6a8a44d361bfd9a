"""One WebSocket after its handshake (RFC 6455, 5 to 7), of a client or of upstream: frames off and onto a transport.

No extensions: nothing is compressed. What comes waits in `Wire.take` until somebody takes it, and when much waits no
more is read. Nobody waits to write: whoever passes messages on takes none from the one side while the other is not
`writable`.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

from gateway.edge.protocol import Corked

WAITING_BYTES_MAX = 256 * 1024
WAITING_MAX = 1_024
PING_SECONDS = 20.0  # keeps what stands between from taking the connection for dead
CLOSE_SECONDS = 5.0
NO_CODE = 1005  # RFC 6455, 7.4.1: a close without a code
ABNORMAL = 1006  # no close at all
PROTOCOL_ERROR = 1002
TOO_BIG = 1009
_DEAD_AFTER = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))  # s, s, probes


@dataclass(slots=True)
class Came:
    """A whole message; `at` on the loop's clock."""

    at: float
    data: bytes
    text: bool


@dataclass(frozen=True, slots=True)
class Over:
    """The peer sends no more. `code` as RFC 6455, 7.1.5 has it; `fault`: what it did wrong, '' for nothing."""

    code: int
    reason: str
    at: float
    fault: str = ""


def nothing() -> None:
    """Nobody wants to know."""


class Wire(asyncio.Protocol):
    """`server`: the peer is a client, so its frames come masked. `changed` is called whenever something has come, the
    peer has ended, or it reads again."""

    def __init__(self, transport: asyncio.Transport, *, server: bool, message_bytes_max: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = cast(
            "asyncio.Transport", transport if isinstance(transport, Corked) else Corked(transport)
        )
        self._frames = FrameProtocol(not server, [])
        self._message_bytes_max = message_bytes_max
        self._waiting: deque[Came] = deque()
        self._waiting_bytes = 0
        self._parts = bytearray()  # no list: of empty parts there could be any number
        self._reading_paused = self._closed = self._lost = False
        self._unanswered_ping: bytes | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._pings: asyncio.TimerHandle | None = self._loop.call_later(PING_SECONDS, self._ping)
        self.writable = True
        self.over: Over | None = None
        self.changed: Callable[[], None] = nothing
        self.lost: Callable[[Exception | None], None] = lambda _: None
        self.pressed: Callable[[bool], None] = lambda _: None
        _watch_over(transport)

    @property
    def open(self) -> bool:
        """Whether the connection is not lost yet."""
        return not self._lost

    # -- what comes

    @property
    def waiting(self) -> bool:
        """Whether a message can be taken."""
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether so much waits that no more is read."""
        return self._waiting_bytes > WAITING_BYTES_MAX or len(self._waiting) > WAITING_MAX

    def take(self, count_max: int, bytes_max: int) -> list[Came]:
        """The messages that wait, in order: so many, or until they are so large together."""
        taken: list[Came] = []
        size = 0
        while self._waiting and len(taken) < count_max and size < bytes_max:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].data)
        self._waiting_bytes -= size
        if self._reading_paused and not self.full:
            self._reading_paused = False
            self._transport.resume_reading()
        return taken

    # -- what goes

    def send(self, data: bytes, text: bool) -> None:
        """Writes one message; nothing once the WebSocket is closed."""
        if self._closed or self._transport.is_closing():
            return
        self._write(self._frames.send_data(data.decode() if text else data))

    def close(self, code: int, reason: str = "") -> None:
        """Begins or answers the closing handshake, and sees to the end of the connection. NO_CODE sends none;
        `reason` is cut at what a close can hold."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        if self._transport.is_closing():
            return
        told = (None, None) if code == NO_CODE else (code, reason)
        self._write(self._frames.close(*told))
        self._closing = self._loop.call_later(CLOSE_SECONDS, self.abort)
        if self.over is not None and not self.over.fault:
            self._transport.close()
            return
        if self._reading_paused:  # the peer's own close comes behind what is not wanted any more
            self._reading_paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """Ends the connection at once, whatever the peer has not read."""
        self._transport.abort()

    def _write(self, data: bytearray) -> None:
        self._transport.write(bytes(data))

    # -- asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        """Takes bytes of frames."""
        if self.over is not None and self.over.fault:
            return
        self._frames.receive_bytes(data)
        try:
            for frame in self._frames.received_frames():
                self._frame(frame.opcode, frame.payload, frame.message_finished)
        except ParseFailed as exc:
            self._broke_off(int(exc.code), f"not by RFC 6455: {exc}")
        if not self._reading_paused and self.full and not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The peer has closed its side without a word."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        for timer in (self._pings, self._closing):
            if timer is not None:
                timer.cancel()
        self.writable = True
        self._end(ABNORMAL, "")
        self._closed = self._lost = True
        self.lost(exc)
        self.changed()

    def pause_writing(self) -> None:
        """The peer does not read what waits for it."""
        self.writable = False
        self.pressed(True)

    def resume_writing(self) -> None:
        """It has read."""
        self.writable = True
        self.pressed(False)
        if self._unanswered_ping is not None:
            self._pong(self._unanswered_ping)
        self.changed()

    # -- frames

    def _frame(self, opcode: Opcode, payload: bytes | str | tuple[int, str], finished: bool) -> None:
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            self._part(payload, finished, opcode is Opcode.TEXT)
        elif opcode is Opcode.CLOSE:
            code, reason = cast("tuple[int, str]", payload)
            self._end(int(code), reason)
            if self._closed:  # it answers our own
                self._transport.close()
        elif opcode is Opcode.PING:
            self._pong(cast("bytes", payload))

    def _part(self, payload: bytes | str | tuple[int, str], finished: bool, text: bool) -> None:
        if self._closed or self.over is not None:
            return
        part = payload.encode() if isinstance(payload, str) else cast("bytes", payload)
        self._parts += part
        if len(self._parts) > self._message_bytes_max:
            self._broke_off(TOO_BIG, f"a message over {self._message_bytes_max} bytes")
        elif finished:
            self._waiting.append(Came(self._loop.time(), bytes(self._parts), text))
            self._waiting_bytes += len(self._parts)
            self._parts = bytearray()
            self.changed()

    def _broke_off(self, code: int, fault: str) -> None:
        """What it sent cannot be taken: it is told so, and nothing more is heard of it."""
        if self.over is None:
            self.over = Over(code, "", self._loop.time(), fault)
        self.close(code, fault if code == TOO_BIG else "")
        self.changed()

    def _end(self, code: int, reason: str) -> None:
        if self.over is None:
            self.over = Over(code, reason, self._loop.time())
            self.changed()

    # -- pings

    def _pong(self, payload: bytes) -> None:
        """RFC 6455, 5.5.3: only the last ping need be answered, so none heap up for who does not read."""
        self._unanswered_ping = None
        if not self.writable:
            self._unanswered_ping = payload
        elif not self._closed and not self._transport.is_closing():
            self._write(self._frames.pong(payload))

    def _ping(self) -> None:
        self._pings = self._loop.call_later(PING_SECONDS, self._ping)
        if self.writable and not self._closed and not self._transport.is_closing():
            self._write(self._frames.ping())


def _watch_over(transport: asyncio.Transport) -> None:
    """A peer that vanished without a word is found by TCP: an idle WebSocket says nothing for hours."""
    found = transport.get_extra_info("socket")
    if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _DEAD_AFTER:
        found.setsockopt(socket.IPPROTO_TCP, option, value)


def sendable(code: int) -> bool:
    """Whether a code may stand in a close (RFC 6455, 7.4)."""
    return code not in (NO_CODE, ABNORMAL, CloseReason.TLS_HANDSHAKE_FAILED) and 1000 <= code < 5000
