"""Who may ask: whoever can read the token file, through a name of this machine."""

import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


def write_token(path: Path) -> str:
    """A new token, written to `path` for the owner alone; the old one is void. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = secrets.token_urlsafe(32)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(token)
    fresh.replace(path)
    return token


class Guard:
    """Under /api, answers 421 to a Host that is not ours (a rebound DNS name) and 401 without the token.

    Probes and metrics hold no secret, and who asks for them uses addresses of its own choice.
    """

    def __init__(self, app: App, token: str, hosts: frozenset[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = _LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        headers = scope["headers"]
        if not scope["path"].startswith("/api"):
            await self._app(scope, receive, send)
        elif not self._is_for_us(headers):
            await _refuse(send, 421, b"this name is not served here; add it to console.hosts\n")
        elif not self._may_ask(headers):
            await _refuse(send, 401, b"the token of run/query.token is missing or wrong\n")
        else:
            await self._app(scope, receive, send)

    def _is_for_us(self, headers: list[tuple[bytes, bytes]]) -> bool:
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        return len(hosts) == 1 and _without_port(hosts[0]) in self._hosts

    def _may_ask(self, headers: list[tuple[bytes, bytes]]) -> bool:
        given = [value for name, value in headers if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], b"Bearer " + self._token)


def is_loopback_name(host: str) -> bool:
    """Whether a Host header names this machine by a name that no DNS server can give to a stranger's page."""
    return _without_port(host.lower()) in _LOOPBACK


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


async def _refuse(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
