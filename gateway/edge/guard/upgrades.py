"""Which other protocol a client wants to change to, and whether it asks for it in the one way that RFC 6455 has.

A request that is no handshake to one reader and one to another lets the second take the bytes behind it for frames
of a WebSocket: so what asks for one in any other way than by section 4.1 is refused, and not merely ignored.
"""

import re
from collections.abc import Callable, Sequence

from gateway.edge.guard.faults import FaultError

WEBSOCKET = b"websocket"
SPDY = b"spdy"

# Whether a WebSocket may be opened at this target (origin form) of this host, both as they came.
TakesSockets = Callable[[bytes, bytes], bool]

_ONCE = (b"upgrade", b"connection", b"sec-websocket-key", b"sec-websocket-version")
_KEY = re.compile(rb"[a-z0-9+/]{21}[agqw]==")  # 16 bytes in base64, in lower case as all values here
_CONNECTION = frozenset({b"upgrade", b"keep-alive"})


def takes_none(_target: bytes, _host: bytes) -> bool:
    """Where no WebSocket is taken."""
    return False


def wished(method: bytes, minor: bytes, fields: Sequence[tuple[bytes, bytes]], length: int) -> bytes:
    """WEBSOCKET, SPDY, or b'' where the wish is one that is ignored. `fields` in lower case.

    Raises FaultError for a handshake of a WebSocket that is not by RFC 6455.
    """
    values = [value.strip(b" \t") for name, value in fields if name == b"upgrade"]
    if not any(WEBSOCKET in value for value in values):
        return SPDY if any(value.startswith(SPDY) for value in values) else b""
    wrong = _wrong(method, minor, fields, length)
    if wrong:
        raise FaultError("malformed_handshake", wrong)
    return WEBSOCKET


def _wrong(method: bytes, minor: bytes, fields: Sequence[tuple[bytes, bytes]], length: int) -> str:
    """What is wrong with the handshake, '' when nothing is."""
    if method != b"GET" or minor != b"1":
        return "it is no GET in HTTP/1.1"
    names = [name for name, _ in fields]
    if length or b"content-length" in names or b"expect" in names:
        return "it has a body"
    if any(names.count(name) != 1 for name in _ONCE):
        return "each of its headers must stand there once"
    said = {name: value.strip(b" \t") for name, value in fields}
    if said[b"upgrade"] != WEBSOCKET:
        return "upgrade names more than websocket"
    tokens = {token.strip(b" \t") for token in said[b"connection"].split(b",")}
    if b"upgrade" not in tokens or not tokens <= _CONNECTION:
        return "connection must say upgrade, and nothing that contradicts it"
    keyed = said[b"sec-websocket-version"] == b"13" and _KEY.fullmatch(said[b"sec-websocket-key"])
    return "" if keyed else "its version is not 13, or its key not 16 bytes in base64"
