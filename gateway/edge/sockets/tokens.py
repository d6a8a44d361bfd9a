"""A bearer token that a client sends as a subprotocol, as the Kubernetes API takes it from browsers, which cannot set
headers on a WebSocket. Source: k8s.io/apiserver, pkg/authentication/request/websocket."""

import base64
import binascii
import re

from gateway.frames.headers import Headers

_PREFIX = "base64url.bearer.authorization.k8s.io."
_PROTOCOL = b"sec-websocket-protocol"
_NAME = re.compile(r"[!#-+\--~]+")  # a token of RFC 9110, and "/", which Kubernetes has in one
OFFERED_MAX = 16


class SubprotocolError(ValueError):
    """The list of subprotocols cannot be taken; the text says why."""


def offered(headers: Headers) -> tuple[tuple[str, ...], Headers]:
    """The subprotocols that a handshake offers, and its headers with the token among them moved to `authorization`:
    so it is neither recorded nor passed on. Raises SubprotocolError."""
    names = _names(headers)
    tokens = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    plain = tuple(name for name in names if not name.startswith(_PREFIX))
    kept = [pair for pair in headers if pair[0] != _PROTOCOL]
    if plain:
        kept.append((_PROTOCOL, ", ".join(plain).encode("ascii")))
    if not tokens:
        return plain, kept
    if len(tokens) > 1 or any(name == b"authorization" for name, _ in headers):
        raise SubprotocolError("there is more than one credential")
    if not plain:
        raise SubprotocolError("beside the token a subprotocol must be offered")
    return plain, [*kept, (b"authorization", b"Bearer " + _token(tokens[0]))]


def without_subprotocols(headers: Headers) -> Headers:
    """The headers of a request that is no handshake."""
    if not any(name == _PROTOCOL for name, _ in headers):
        return headers
    return [pair for pair in headers if pair[0] != _PROTOCOL]


def _names(headers: Headers) -> list[str]:
    said = b",".join([value for name, value in headers if name == _PROTOCOL]).decode("latin-1")
    names = [name.strip(" \t") for name in said.split(",")] if said else []
    if len(names) > OFFERED_MAX or len(set(names)) != len(names):
        raise SubprotocolError(f"over {OFFERED_MAX} subprotocols, or one of them twice")
    if not all(_NAME.fullmatch(name) for name in names):
        raise SubprotocolError("the name of a subprotocol is none")
    return names


def _token(encoded: str) -> bytes:
    """What stands behind the prefix: base64url without padding."""
    try:
        token = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SubprotocolError("the token among the subprotocols is not in base64url") from None
    if not token.isascii() or not token.decode("ascii").isprintable() or b" " in token:
        raise SubprotocolError("the token among the subprotocols is none")
    return token
