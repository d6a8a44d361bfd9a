"""The side of the clients: a request off ASGI becomes an exchange, and the exchange is performed."""

import asyncio
import time
from collections.abc import Hashable, Mapping
from contextlib import suppress

from gateway.edge.admission import Admission, Turned
from gateway.edge.control import Control
from gateway.edge.guard import EXTENSION, SPDY, WEBSOCKET, DoorRefusal, Handover
from gateway.edge.identifiers import Entropy
from gateway.edge.metrics import METRICS, ended
from gateway.edge.metrics import refused as counted
from gateway.edge.perform import Performer, Receive, Scope, Write
from gateway.edge.route import Process, Route
from gateway.edge.sockets.fallback import Told
from gateway.edge.sockets.tokens import SubprotocolError, offered, without_subprotocols
from gateway.edge.tracing import trace_id
from gateway.effects import Broken, Request
from gateway.endings import Life, Terms
from gateway.exchange import Exchange
from gateway.frames.headers import LOOPBACK_NAMES, Headers, claimed_origin, first, host_name
from gateway.frames.user_agent import without_exchange
from gateway.refusals import Refused
from gateway.sessions import NOBODY, Principal
from gateway.settings import ConnectionKind

PREFIX = "/mcp/"
PREFIXES = {"/http/": ConnectionKind.HTTP, "/k8s/": ConnectionKind.KUBERNETES}
HEADERS_MAX = 100
HEADER_BYTES_MAX = 16 * 1024
METHODS = frozenset({"GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
STOPPING = Broken("upstream_failed", "gateway_stopping", "")


class McpEndpoint:
    """ASGI application of the data path: every request in, refused ones too, is an exchange."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        nowhere: Terms,
        process: Process,
        *,
        admission: Admission,
        control: Control,
        hosts: frozenset[str],
    ) -> None:
        self._routes = routes
        self._by_host = {r.connection.host: r for r in routes.values() if r.connection.host}
        self._nowhere = nowhere
        self._process = process
        self._limits = process.limits
        self._admission = admission
        self._control = control
        self._hosts = LOOPBACK_NAMES | hosts | self._by_host.keys()
        self._entropy = Entropy()
        self._running: set[Performer] = set()
        self._idle = asyncio.Event()
        self._told = Told()
        control.subscribe(self._end_what_is_barred)
        process.approvals.subscribe(self._end_what_is_barred)

    def serves(self, scope: Scope) -> bool:
        """Whether a request is for a connection: by its path, or by the host that one has for itself."""
        named = scope["path"].startswith((PREFIX, *PREFIXES))
        return named or self._route_by_host(scope["headers"]) is not None

    def takes_sockets(self, target: bytes, host: bytes) -> bool:
        """Whether a WebSocket may be opened there: at what is served as a Kubernetes API only."""
        if target.startswith(b"/k8s/"):
            return True
        route = self._by_host.get(host_name(host)) if self._by_host else None
        return route is not None and route.connection.kind == ConnectionKind.KUBERNETES

    async def __call__(self, scope: Scope, receive: Receive, send: Write) -> None:
        """Serves one HTTP request."""
        asked = _request(scope)
        route = self._route_by_host(asked.headers)
        name, kind, asked.target = _named(scope)
        if route is None:
            route = self._routes.get(name)
            if route is not None and route.connection.kind != kind:
                route = None
        else:
            whole = route.connection.kind != ConnectionKind.MCP
            name, asked.target = route.name, scope["raw_path"].decode("latin-1") if whole else ""
        handover: Handover | None = scope.get("extensions", {}).get(EXTENSION)
        unread = _take_subprotocols(asked, handover)
        reason = self._refusal(asked, route)
        refused = Refused(reason) if reason else unread
        principal, lease, lent = NOBODY, None, False
        if refused is None and route is not None:
            admitted = await self._admission.admit(asked, route)
            principal = admitted.principal
            if isinstance(admitted, Turned):
                refused = admitted.refused
            else:
                lease, lent = admitted.lease, admitted.lent
        try:
            if refused is None:  # nobody's body is read before it is known whose it is
                body, reason = await self._read(receive, first(asked.headers, b"content-length"))
                asked.body = body
                refused = Refused(reason) if reason else self._admission.stopped(principal)
            terms = route.terms_for(principal) if route else self._nowhere
            exchange = Exchange(self._entropy.uuid7(), asked, principal, terms)
            if route is None:
                exchange.base["connection"] = name[:100]
            refused = refused or self._killed(exchange)
            token = first(asked.headers, b"authorization").partition(b" ")[2].decode("latin-1")
            traced = self._process.tracing.begin(asked)
            performer = Performer(
                exchange,
                self._process,
                route,
                receive=receive,
                write=send,
                client_token=token,
                traced=traced,
                handover=handover if asked.subprotocols is not None else None,
            )
            performer.lent = lent
            await self._run(
                performer, exchange, self._life(exchange, asked, refused, handover), terms.connection
            )
            if performer.answered is not None:
                self._told.remember(_same(exchange, asked), performer.answered)
        finally:
            if lease is not None:
                lease.leave()

    def _life(
        self, exchange: Exchange, asked: Request, refused: Refused | None, handover: Handover | None
    ) -> Life:
        """The life of the exchange. Behind a WebSocket that was refused, SPDY is told what that was told; where
        another process has told it, the rules are asked again before SPDY is refused for being SPDY."""
        if refused is not None or handover is None or handover.protocol != SPDY:
            return exchange.life(refused)
        asked.upgrade = "spdy/3.1"
        told = self._told.answer(_same(exchange, asked))
        return exchange.told_again(told) if told is not None else exchange.life()

    async def refused_at_the_door(self, refusal: DoorRefusal) -> str:
        """Records what was no request at all; gives the id of its exchange, '' when it could not be recorded."""
        asked = Request(refusal.method, refusal.path, "", [], b"", refusal.peer, "")
        exchange = Exchange(self._entropy.uuid7(), asked, NOBODY, self._nowhere)
        exchange.base["connection"] = ""
        frame = exchange.unheard(refusal.reason_code, refusal.status, refusal.reason)
        counted(refusal.reason_code).inc()
        recorded = await self._process.recorder.record(exchange.base, [frame], time.monotonic())
        return exchange.id if recorded else ""

    def _killed(self, exchange: Exchange) -> Refused | None:
        reason = self._control.killed(str(exchange.base["session_id"]), exchange.principal)
        return Refused("session_killed", reason) if reason else None

    def _end_what_is_barred(self) -> None:
        """An operator has decided something: exchanges under way that it concerns end now, streams too."""
        for performer in list(self._running):
            exchange = performer.exchange
            ended = self._admission.stopped(exchange.principal) or self._killed(exchange)
            ended = ended or self._lent_no_more(performer, exchange.principal)
            if ended is not None:
                performer.stop(Broken("withheld", ended.reason_code, ended.detail))

    def _lent_no_more(self, performer: Performer, principal: Principal) -> Refused | None:
        """Access that was lent ends for what is under way, too."""
        connection = str(performer.exchange.base["connection"])
        if not performer.lent or self._admission.still_lent(principal, connection):
            return None
        return Refused("connection_not_allowed", "the access that was lent has ended")

    def _route_by_host(self, headers: Headers) -> Route | None:
        return self._by_host.get(host_name(first(headers, b"host"))) if self._by_host else None

    async def _run(self, performer: Performer, exchange: Exchange, life: Life, connection: str) -> None:
        started = time.perf_counter()
        METRICS.in_flight.inc()
        self._running.add(performer)
        try:
            await performer.run(life)
        finally:
            self._running.discard(performer)
            if not self._running:
                self._idle.set()
            METRICS.in_flight.dec()
            performer.traced.end(exchange.base, exchange.outcome)
            took = time.perf_counter() - started
            METRICS.exchange_seconds.observe(took)
            METRICS.added_seconds.observe(max(0.0, took - performer.upstream_seconds))
            ended(connection, str(exchange.base["verdict"]), exchange.outcome).inc()
            if exchange.refused_for:
                counted(exchange.refused_for).inc()

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

    async def _read(self, receive: Receive, length: bytes) -> tuple[bytes, str]:
        """The body, and a reason code when it is not whole: what came until then is recorded. One that says itself
        that it is too large is not waited for."""
        if length.isdigit() and int(length) > self._limits.body_bytes_max:
            return b"", "body_too_large"
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
        heads = route is not None and route.connection.kind != ConnectionKind.MCP
        if request.method not in METHODS and not (heads and request.method == "HEAD"):
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


def _named(scope: Scope) -> tuple[str, ConnectionKind, str]:
    """The connection that the path names, by what it is served under, and the path that is left for its upstream."""
    for prefix, kind in PREFIXES.items():
        if scope["path"].startswith(prefix):
            name, _, rest = scope["raw_path"].decode("latin-1")[len(prefix) :].partition("/")
            return name, kind, f"/{rest}"
    return scope["path"][len(PREFIX) :].strip("/"), ConnectionKind.MCP, ""


def _take_subprotocols(asked: Request, handover: Handover | None) -> Refused | None:
    """What a WebSocket's client offers, its token taken out; anywhere else the header says nothing, and could hold
    one."""
    if handover is None or handover.protocol != WEBSOCKET:
        asked.headers = without_subprotocols(asked.headers)
        return None
    try:
        asked.subprotocols, asked.headers = offered(asked.headers)
    except SubprotocolError as exc:
        asked.headers = without_subprotocols(asked.headers)
        return Refused("unreadable_request", str(exc))
    return None


def _same(exchange: Exchange, asked: Request) -> Hashable:
    """Who asks for what: the same for a WebSocket and for the SPDY that a client falls back to."""
    principal = exchange.principal
    return exchange.base["connection"], principal.issuer, principal.subject, principal.credential, asked.path


def _size(headers: Headers) -> int:
    return sum([len(name) + len(value) for name, value in headers])


def _request(scope: Scope) -> Request:
    """What came, without its body: that is read once it is known whose it is."""
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    client = scope.get("client") or ("", 0)
    headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]  # RFC 9110, 5.5
    return Request(
        method=scope["method"],
        path=f"{path}?{query}" if query else path,
        query=query,
        headers=headers,
        body=b"",
        peer=f"{client[0]}:{client[1]}",
        user_agent=without_exchange(first(headers, b"user-agent")).decode("latin-1"),
        claimed_origin=claimed_origin(headers),
        trace_id=trace_id(first(headers, b"traceparent")),
    )
