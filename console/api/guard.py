"""Before anything is looked at: requests that a browser was tricked into, and those that no client of ours sends.

The gateway's own guard stands before this one: it takes well-formed HTTP alone, and nobody may be endlessly slow.

There is no CORS here, so another site's page can read nothing; that it can write nothing either is for the checks of
Origin, Sec-Fetch-Site and the content type, and the check of Host keeps rebound DNS names out.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import structlog

from console.api.problems import Problem
from console.settings import ApiLimits
from gateway.edge.announce import stamp
from gateway.edge.guard import Door, DoorLimits, DoorRefusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
PROBES = ("/healthz", "/readyz", "/metrics")
API = "/api/"
log = structlog.get_logger("console")

_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_API_ONLY = ((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),)


class Guard:
    """ASGI middleware, the outermost. `hosts`: names beside loopback; `public_url`: whose pages are ours too, where
    something before us changes Host. `door` is for `GuardedHttpProtocol`."""

    def __init__(self, app: App, hosts: Iterable[str], limits: ApiLimits, public_url: str = "") -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.casefold() for host in hosts}
        self._public = urlsplit(public_url).netloc.casefold()
        self._body_bytes_max = limits.body_bytes_max
        self.door = Door(_refused, DoorLimits(connections_max=limits.connections_max))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no WebSockets here
        ours = scope["path"].startswith(API)
        sending = _with_headers(send, (*_ALWAYS, *_API_ONLY) if ours else _ALWAYS)
        try:
            if scope["path"] not in PROBES:
                self._check_host(scope)
            if ours:
                self._check_origin(scope)
                receive = await self._body(scope, receive)
        except Problem as problem:
            await problem.response()(scope, receive, sending)
            return
        await self._app(scope, receive, sending)

    def _check_host(self, scope: Scope) -> None:
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or _hostname("//" + hosts[0]) not in self._hosts:
            raise Problem(421, "misdirected", "this name is not served here; name it in the configuration")

    def _check_origin(self, scope: Scope) -> None:
        """A page of ours has our host and port as its origin; who is no browser sends none."""
        ours = {_values(scope, b"host")[0].casefold(), self._public}
        for origin in _values(scope, b"origin"):
            if origin == "null" or _netloc(origin) not in ours:
                raise Problem(403, "foreign_origin", "pages of other sites may not ask here")
        if any(site not in ("same-origin", "none") for site in _values(scope, b"sec-fetch-site")):
            raise Problem(403, "foreign_origin", "pages of other sites may not ask here")

    async def _body(self, scope: Scope, receive: Receive) -> Receive:
        """The whole body, at once and within bounds; it is JSON or there is none."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                break
            body += message.get("body", b"")
            if len(body) > self._body_bytes_max:
                raise Problem(413, "too_large", f"a body has at most {self._body_bytes_max} bytes")
            if not message.get("more_body", False):
                break
        types = [value.partition(";")[0].strip().casefold() for value in _values(scope, b"content-type")]
        if body and types != ["application/json"]:
            raise Problem(415, "unsupported_media_type", "send application/json")
        return _replayed(bytes(body), receive)


async def _refused(refusal: DoorRefusal) -> str:
    """Nobody has said anything yet that could be recorded: it is logged, by an id that the client is told."""
    refusal_id = stamp().id
    log.info("refused_at_the_door", id=refusal_id, reason=refusal.reason_code, peer=refusal.peer)
    return refusal_id


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`body` as one message, and then whatever comes."""
    given = False

    async def replay() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> Send:
    """Adds those that the answer has not set itself: pages and static files know better."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said = list(message.get("headers", ()))
            names = {name for name, _ in said}
            message["headers"] = [*said, *(header for header in headers if header[0] not in names)]
        await send(message)

    return sending


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _netloc(origin: str) -> str:
    """'?' for what is no origin: it is nobody's."""
    try:
        return urlsplit(origin).netloc.casefold() or "?"
    except ValueError:
        return "?"


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return ""
