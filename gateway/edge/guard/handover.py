"""A connection of a client whose request wants to change to another protocol, as the application sees it."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.edge.sockets.joining import accept_of
from gateway.edge.sockets.wire import Wire
from gateway.frames.headers import Headers, first

EXTENSION = "sluicegate.upgrade"  # of an ASGI scope of type http: a Handover

# Gives the connection over after these bytes, for messages up to so many bytes; None: it is closed already.
Switch = Callable[[bytes, int], Wire | None]


@dataclass(slots=True)
class Handover:
    """`protocol`: one of `guard.upgrades`; `headers`: of the request. Until `accept` it is an ordinary request, and
    is answered as one."""

    protocol: bytes
    headers: Headers
    switch: Switch

    def accept(self, subprotocol: str, message_bytes_max: int) -> Wire | None:
        """Tells the client that its handshake is accepted; nothing more may be answered. None: it has left."""
        accepted = accept_of(first(self.headers, b"sec-websocket-key"))
        lines = [
            b"HTTP/1.1 101 Switching Protocols",
            b"upgrade: websocket",
            b"connection: upgrade",
            b"sec-websocket-accept: " + accepted,
        ]
        if subprotocol:
            lines.append(b"sec-websocket-protocol: " + subprotocol.encode("ascii"))
        return self.switch(b"\r\n".join(lines) + b"\r\n\r\n", message_bytes_max)
