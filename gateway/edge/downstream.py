"""The side of the clients: a request off ASGI becomes an exchange, and the exchange is performed."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

from gateway.edge.identifiers import Entropy
from gateway.edge.metrics import METRICS, ended
from gateway.edge.perform import Performer, Receive, Route, Scope, Write
from gateway.edge.recorder import Recorder
from gateway.effects import Broken, Request
from gateway.exchange import Exchange, Terms
from gateway.frames.headers import LOOPBACK_NAMES, Headers, first, host_name
from gateway.sessions import Principal, anonymous
from gateway.settings import Limits

PREFIX = "/mcp/"
HEADERS_MAX = 100
HEADER_BYTES_MAX = 16 * 1024
METHODS = frozenset({"GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
STOPPING = Broken("upstream_failed", "gateway_stopping", "")


class McpEndpoint:
    """ASGI application for `/mcp/<connection>`: every request in, refused ones too, is an exchange."""

    def __init__(
        self, routes: Mapping[str, Route], nowhere: Terms, recorder: Recorder, limits: Limits, host: str
    ) -> None:
        self._routes = routes
        self._nowhere = nowhere
        self._recorder = recorder
        self._limits = limits
        self._hosts = LOOPBACK_NAMES | {host}
        self._entropy = Entropy()
        self._running: set[Performer] = set()
        self._idle = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Write) -> None:
        """Serves one HTTP request."""
        name = scope["path"][len(PREFIX) :].strip("/")
        route = self._routes.get(name)
        body, fault = await self._read(receive)
        request = _request(scope, body)
        refused = fault or self._refusal(request, route)
        terms = route.terms if route else self._nowhere
        exchange = Exchange(self._entropy.uuid7(), request, _caller(scope, request), terms)
        if route is None:
            exchange.base["connection"] = name[:100]
        performer = Performer(exchange, self._recorder, route, self._limits, receive=receive, write=send)
        await self._run(performer, exchange, refused, terms.connection)

    async def _run(self, performer: Performer, exchange: Exchange, refused: str, connection: str) -> None:
        started = time.perf_counter()
        METRICS.in_flight.inc()
        self._running.add(performer)
        try:
            await performer.run(exchange.life(refused))
        finally:
            self._running.discard(performer)
            if not self._running:
                self._idle.set()
            METRICS.in_flight.dec()
            METRICS.exchange_seconds.observe(time.perf_counter() - started)
            ended(connection, exchange.outcome).inc()

    async def stop(self, grace_seconds: float) -> None:
        """Lets exchanges end for so long, streams not at all; then ends them all, each with its record."""
        for performer in [p for p in self._running if p.streaming]:
            performer.stop(STOPPING)
        self._idle.clear() if self._running else self._idle.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._idle.wait()
        for performer in list(self._running):
            performer.stop(STOPPING)

    async def _read(self, receive: Receive) -> tuple[bytes, str]:
        """The body, and a reason code when it is not whole: what came until then is recorded."""
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message["body"]
            return body, "body_too_large" if len(body) > self._limits.body_bytes_max else ""
        parts = bytearray()
        while message["type"] == "http.request":
            parts += message["body"]
            if len(parts) > self._limits.body_bytes_max:
                return bytes(parts[: self._limits.body_bytes_max]), "body_too_large"
            if not message.get("more_body"):
                return bytes(parts), ""
            message = await receive()
        return bytes(parts), "body_incomplete"

    def _refusal(self, request: Request, route: Route | None) -> str:
        if request.method not in METHODS:
            return "method_not_allowed"
        if len(request.headers) > HEADERS_MAX or _size(request.headers) > HEADER_BYTES_MAX:
            return "headers_too_large"
        if not self._host_allowed(request):
            return "host_not_allowed"
        if route is None:
            return "unknown_connection"
        return "overloaded" if len(self._running) >= self._limits.exchanges_max else ""

    def _host_allowed(self, request: Request) -> bool:
        """A page in a browser must not reach a loopback gateway under a name of its own (DNS rebinding)."""
        if host_name(first(request.headers, b"host")) not in self._hosts:
            return False
        origin = first(request.headers, b"origin")
        return not origin or host_name(origin.partition(b"://")[2]) in self._hosts


def _size(headers: Headers) -> int:
    return sum([len(name) + len(value) for name, value in headers])


def _request(scope: Scope, body: bytes) -> Request:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    client = scope.get("client") or ("", 0)
    headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]  # RFC 9110, 5.5
    return Request(
        method=scope["method"],
        path=f"{path}?{query}" if query else path,
        query=query,
        headers=headers,
        body=body,
        peer=f"{client[0]}:{client[1]}",
        user_agent=first(headers, b"user-agent").decode("latin-1"),
    )


def _caller(scope: Scope, request: Request) -> Principal:
    client = scope.get("client") or ("", 0)
    return anonymous(client[0], request.user_agent, time.strftime("%Y-%m-%d", time.gmtime()))
