"""Waiting on the request's own stream of server-sent events: signs of life, progress, and the answer at the end.

Source: Model Context Protocol, "Streamable HTTP" and "Progress"; WHATWG HTML, "Parsing an event stream".
"""

from typing import Any

import msgspec

from gateway.frames.headers import Headers, first
from gateway.frames.jsonrpc import Look, error_body, look
from gateway.frames.sse import event
from gateway.waiting.asked import meta_of

CODE = -32603
OPENING: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies are to pass each event on at once
]
SILENT_SECONDS_MAX = 50


def keep_alive() -> bytes:
    """A comment: it says nothing, and keeps clients and what lies between from taking the stream for dead."""
    return b": held for approval\n\n"


def patience(body: bytes, seconds: float) -> float:
    """How long this client is kept waiting, of the `seconds` that may be. Without a progress token not for long: the
    TypeScript SDK gives a request up after 60 s unless it hears of progress, and then its agent would learn neither
    that the call waits nor that it finds its approval when it is repeated."""
    return seconds if _token(body) is not None else min(seconds, SILENT_SECONDS_MAX)


def progress(asked: Look, body: bytes, n: int, total: int, text: str) -> bytes | None:
    """A progress notification; None where the client gave no token, and none may be sent.

    `n`: seconds waited, more each time; `total`: seconds until nobody can approve any more, 0 when not known.
    """
    token = _token(body)
    if asked.kind != "request" or token is None:
        return None
    params: dict[str, Any] = {"progressToken": token, "progress": n, "message": text}
    if total > 0:
        params["total"] = total
    told = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
    return event(msgspec.json.encode(told))


def wrapped(asked: Look, status: int, headers: Headers, body: bytes) -> bytes:
    """A whole answer as the last event of a stream that is open already.

    What says no JSON-RPC answer becomes an error that tells the HTTP status, since that can no more be sent.
    """
    said = look(body) if body else Look()
    if said.kind == "response" or (said.kind == "error" and said.id not in ("", "null")):
        return event(body)
    if said.kind == "error":  # it could not tell what it answers, and the client waits for this very id
        return event(_answering(asked, body))
    data: dict[str, Any] = {"http_status": status}
    if retry_after := first(headers, b"retry-after"):
        data["retry_after"] = retry_after.decode("latin-1")
    return event(
        error_body(asked.id, CODE, f"upstream answered HTTP {status} without a JSON-RPC message", **data)
    )


def _token(body: bytes) -> str | int | None:
    token = meta_of(body).get("progressToken")
    return token if isinstance(token, str | int) and not isinstance(token, bool) else None


def _answering(asked: Look, body: bytes) -> bytes:
    said: dict[str, msgspec.Raw] = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (asked.id.encode() or b"null", bytes(said["error"]))
