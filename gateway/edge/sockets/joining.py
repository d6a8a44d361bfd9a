"""The handshake of a WebSocket with upstream (RFC 6455, 4.1): a request, and the switch once it is taken."""

import base64
import hashlib
import os
import re
from collections.abc import Callable

from gateway.edge.http1 import HEAD_BYTES_MAX, Http1Connection
from gateway.edge.sockets.wire import Wire
from gateway.effects import Broken
from gateway.frames.headers import Headers

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_SWITCHING = re.compile(
    rb"HTTP/1\.1 101(?: [\t\x20-\x7e\x80-\xff]*+)?"
    rb"(\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+)\r\n"
)
_FIELDS = re.compile(rb"\n([^:]+):[ \t]*+([^\r]*+)")
_ONCE = (b"upgrade", b"connection", b"sec-websocket-accept", b"sec-websocket-protocol")


def nonce() -> bytes:
    """A fresh value of Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16))


def accept_of(key: bytes) -> bytes:
    """The Sec-WebSocket-Accept that answers a key."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def handshake(key: bytes, subprotocols: tuple[str, ...]) -> Headers:
    """The headers that make a request a handshake."""
    headers = [
        (b"connection", b"Upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-key", key),
        (b"sec-websocket-version", b"13"),
    ]
    if subprotocols:
        headers.append((b"sec-websocket-protocol", ", ".join(subprotocols).encode("ascii")))
    return headers


class Joining(Http1Connection):
    """A connection whose one request is a handshake. After `head` has given status 101 `wire` is there; any other
    status is that of an ordinary answer, and its body is read as one."""

    def __init__(self, key: bytes, subprotocols: tuple[str, ...], message_bytes_max: int) -> None:
        super().__init__()
        self._key = key
        self._offered = subprotocols
        self._message_bytes_max = message_bytes_max
        self._begun = b""
        self.wire: Wire | None = None
        self.subprotocol = ""

    def leave(self, closing: set[Wire]) -> None:
        """Closes what has become no WebSocket; one that has is closed by who uses it, and stands in `closing` until
        it is."""
        wire = self.wire
        if wire is None:
            self.abort()
        elif wire.open:
            closing.add(wire)
            wire.lost = lambda _: closing.discard(wire)

    def data_received(self, data: bytes) -> None:
        """Looks for the switch; all else is an ordinary answer."""
        if self._head_done or self._fault is not None:
            super().data_received(data)
            return
        self._begun += data
        if b"\r\n\r\n" not in self._begun and len(self._begun) <= HEAD_BYTES_MAX:
            return
        begun, self._begun = self._begun, b""
        if not begun.startswith(b"HTTP/1.1 101"):
            super().data_received(begun)
            return
        found = _SWITCHING.match(begun)
        wrong = self._switch(found) if found else "its head is not by the grammar of HTTP/1.1"
        if wrong:
            self.fail(Broken("upstream_failed", "upstream_broke", f"its handshake: {wrong}"))
        elif self.wire is not None and found is not None and begun[found.end() :]:
            self.wire.data_received(begun[found.end() :])
        self._wake()

    def _switch(self, found: re.Match[bytes]) -> str:
        """Hands the connection over; says what is wrong with the answer, '' for nothing."""
        fields = [(name.lower(), value.strip(b" \t")) for name, value in _FIELDS.findall(found[1])]
        wrong = self._wrong(fields)
        transport = self._transport
        if wrong or transport is None:
            return wrong
        self._status, self._headers, self._head_done = 101, fields, True
        self.wire = Wire(transport, server=False, message_bytes_max=self._message_bytes_max)
        transport.set_protocol(self.wire)
        return ""

    def _wrong(self, fields: Headers) -> str:
        """RFC 6455, 4.1: what a client must not take for an accepted handshake."""
        said, names = dict(fields), [name for name, _ in fields]
        if any(names.count(name) > 1 for name in _ONCE):
            return "one of its headers stands twice"
        if said.get(b"upgrade", b"").lower() != b"websocket":
            return "it changes to no WebSocket"
        if b"upgrade" not in [token.strip() for token in said.get(b"connection", b"").lower().split(b",")]:
            return "connection does not say upgrade"
        if said.get(b"sec-websocket-accept") != accept_of(self._key):
            return "it does not answer the key"
        self.subprotocol = said.get(b"sec-websocket-protocol", b"").decode("latin-1")
        unknown = self.subprotocol and self.subprotocol not in self._offered
        if unknown or said.get(b"sec-websocket-extensions"):
            return "a subprotocol or an extension that nobody offered"
        return ""


def joining(subprotocols: tuple[str, ...], message_bytes_max: int) -> tuple[Headers, Callable[[], Joining]]:
    """The headers of a handshake, and what makes the connection that it is sent on."""
    key = nonce()
    return handshake(key, subprotocols), lambda: Joining(key, subprotocols, message_bytes_max)
