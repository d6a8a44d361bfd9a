"""port-forward as kubectl does it: SPDY/3.1 within the messages of a WebSocket, which cut it anywhere.

Each connection to a port is a pair of streams, `data` and `error`; their headers name the port.
Source: k8s.io/client-go/tools/portforward/tunneling_connection.go, portforward.go.
"""

from gateway.kubernetes.channels_passing import ConversationError, Passing, draft
from gateway.kubernetes.channels_ports import Tunnel
from gateway.kubernetes.spdy_frames import (
    FIN,
    HEADERS,
    NAMES,
    RST_STREAM,
    SYN_REPLY,
    SYN_STREAM,
    Control,
    Data,
    FrameReader,
)
from gateway.kubernetes.spdy_headers import HeaderReader, SpdyError
from gateway.kubernetes.terminal_spans import Mask

SUBPROTOCOL = "SPDY/3.1+portforward.k8s.io"
STREAMS_MAX = 2000
"""Open at one time: a thousand connections through one port-forward."""

FRAME = "spdy.frame"
_HEADERS_AT = {SYN_STREAM: 10, SYN_REPLY: 4, HEADERS: 4}


class Side:
    """What one side says: its frames and its header blocks."""

    def __init__(self) -> None:
        self.frames = FrameReader()
        self.headers = HeaderReader()


class Stream:
    """One stream: what passes each way, by whether it is towards the client; and which ways have ended."""

    def __init__(self, mask: Mask, name: str) -> None:
        self.tunnels = {to_client: Tunnel(mask, name) for to_client in (False, True)}
        self.ended: set[bool] = set()


class SpdyPorts:
    """The conversation of one port-forward. Nothing is held back but half a head or half a control frame, which the
    other side could do nothing with."""

    holds = False

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._sides = {to_client: Side() for to_client in (False, True)}
        self._streams: dict[int, Stream] = {}

    def take(self, data: bytes, *, from_client: bool, text: bool) -> list[Passing]:
        """As in Conversation."""
        if text:
            raise ConversationError("a text message, where SPDY is carried in binary ones", 1003)
        to_client = not from_client
        side = self._sides[to_client]
        try:
            return [self._frame(side, frame, to_client) for frame in side.frames.feed(data)]
        except SpdyError as error:
            raise ConversationError(str(error)) from error

    def rest(self) -> list[Passing]:
        """Half a frame is left out: the tunnel has ended."""
        return []

    quiet = rest

    def _frame(self, side: Side, frame: Control | Data, to_client: bool) -> Passing:
        if isinstance(frame, Control):
            return self._control(side, frame, to_client)
        stream = self._streams.get(frame.stream)
        tunnel = stream.tunnels[to_client] if stream else Tunnel(self._mask, f"stream/{frame.stream}")
        own = {"spdy.fin": "true"} if frame.fin else {}
        told = tunnel.draft(frame.payload, to_client=to_client, attributes=own)
        if frame.fin:
            self._ended(frame.stream, to_client)
        return Passing(told, frame.raw, text=False, to_client=to_client)

    def _control(self, side: Side, frame: Control, to_client: bool) -> Passing:
        shown = ""
        at = _HEADERS_AT.get(frame.kind)
        if at is not None:
            headers = side.headers.read(frame.payload[at:])
            shown = "".join(f"{name}: {value}\n" for name, value in headers.items())
            if frame.kind == SYN_STREAM:
                self._open(frame, headers)
        channel = self._channel(frame.stream)
        if frame.kind == RST_STREAM:
            self._streams.pop(frame.stream, None)
        elif at is not None and frame.flags & FIN:
            self._ended(frame.stream, to_client)
        body, redactions = self._mask(shown.encode("latin-1"))
        own = {FRAME: NAMES[frame.kind]}
        told = draft(channel, body, len(frame.raw), redactions, to_client=to_client, attributes=own)
        return Passing(told, frame.raw, text=False, to_client=to_client)

    def _open(self, frame: Control, headers: dict[str, str]) -> None:
        if frame.stream in self._streams:
            raise SpdyError(f"stream {frame.stream} is opened twice")
        if len(self._streams) >= STREAMS_MAX:
            raise SpdyError(f"more than {STREAMS_MAX} streams are open; close some connections")
        port, kind = headers.get("port", ""), headers.get("streamtype", "")
        if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 0xFFFF) or kind not in (
            "data",
            "error",
        ):
            raise SpdyError(
                "a stream is opened without the number of a port, or is neither of data nor of errors"
            )
        self._streams[frame.stream] = Stream(self._mask, f"port:{int(port)}/{kind}/{frame.stream}")

    def _channel(self, number: int) -> str:
        if not number:
            return "spdy"
        stream = self._streams.get(number)
        return stream.tunnels[True].channel if stream else f"stream/{number}"

    def _ended(self, number: int, to_client: bool) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            stream.ended.add(to_client)
            if len(stream.ended) == 2:
                del self._streams[number]
