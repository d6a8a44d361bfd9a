"""The way to an upstream: where it is, and a bounded pool of connections to it."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from gateway.edge.http1 import Http1Connection, UpstreamBrokenError
from gateway.edge.identity.addresses import AddressError, Reach, resolve
from gateway.edge.sockets.joining import Joining, joining
from gateway.edge.sockets.secured import secured
from gateway.edge.sockets.wire import Wire
from gateway.edge.target import wire_target
from gateway.edge.tls import ClientTls, TlsSource
from gateway.effects import Broken, Forward, Gone, Head
from gateway.settings import Connection, UpstreamTls

_NAME_CODES = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_REACHABLE = frozenset(Reach) - {Reach.NOWHERE}
IDLE_SECONDS = 3.0  # servers close idle connections after 5 s (uvicorn, Node): be sooner

Carrier = TypeVar("Carrier", bound=Http1Connection)


class Answering(Protocol):
    """An answer of upstream under way. Every wait can end with UpstreamBrokenError."""

    async def head(self) -> Head: ...
    def ready(self) -> bytes | None: ...
    async def chunk(self) -> bytes: ...
    async def body(self, bytes_max: int) -> bytes: ...
    def fail(self, fact: Broken | Gone) -> None: ...


class Upstream(Protocol):
    """What stands behind a connection."""

    async def ask(self, request: Forward) -> Answering: ...
    def done(self, answering: Answering) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where an HTTP upstream is. `target` is the path (and query) of its URL."""

    host: str
    port: int
    tls: bool
    authority: bytes
    target: str


def address(url: str) -> Address:
    """The parts of an upstream URL. Raises ValueError for anything but http(s) with a host."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise ValueError(f"not an http(s) URL of a server: {url!r}")
    tls = parts.scheme == "https"
    authority = parts.netloc.encode("ascii")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.hostname, parts.port or (443 if tls else 80), tls, authority, target)


class HttpUpstream:
    """An upstream behind a URL. At most `connections_max` connections; more callers wait their turn. `tls`, where
    there is one, is asked for anew at each use in the place of the connection's own."""

    def __init__(self, connection: Connection, tls: TlsSource | None = None) -> None:
        if connection.upstream is None:
            raise ValueError(f"connection {connection.name} has no upstream URL")
        self._address = address(connection.upstream)
        self._connect_seconds = connection.timeouts.connect_seconds
        self._tls = ClientTls(tls or connection.tls or UpstreamTls()) if self._address.tls else None
        if self._tls:
            self._tls.prepare()
        self._idle: deque[Http1Connection] = deque()
        self._places = asyncio.Semaphore(connection.connections_max)
        self._sockets = asyncio.Semaphore(
            connection.connections_max
        )  # they stay, and must not starve requests
        self._closing: set[Wire] = set()
        self._head = b"host: %b\r\n" % self._address.authority

    async def ask(self, request: Forward) -> Http1Connection:
        """Sends a request; the answer is awaited on what is returned. Raises UpstreamBrokenError."""
        await self._place(self._places)
        try:
            data = self._encoded(request)
            carrier = self._from_pool() or await self._connect(Http1Connection)
        except BaseException:
            self._places.release()
            raise
        carrier.send(data)
        return carrier

    async def join(self, request: Forward, subprotocols: tuple[str, ...], message_bytes_max: int) -> Joining:
        """Asks for a WebSocket; the answer is awaited on what is returned. Raises UpstreamBrokenError."""
        headers, make = joining(subprotocols, message_bytes_max)
        await self._place(self._sockets)
        try:
            data = self._encoded(replace(request, headers=[*request.headers, *headers]))
            carrier = await self._connect(make)
        except BaseException:
            self._sockets.release()
            raise
        carrier.send(data)
        return carrier

    def done(self, answering: Answering) -> None:
        """Gives the connection back: into the pool when its answer was read to the end, else closed. A WebSocket
        closes by itself."""
        if isinstance(answering, Joining):
            self._sockets.release()
            answering.leave(self._closing)
            return
        self._places.release()
        if not isinstance(answering, Http1Connection):
            return
        if answering.reusable:
            answering.idle_since = asyncio.get_running_loop().time()
            self._idle.append(answering)
        else:
            answering.abort()

    async def close(self) -> None:
        """Closes what is idle, and WebSockets whose closing upstream has not answered."""
        while self._idle:
            self._idle.pop().abort()
        for wire in list(self._closing):
            wire.abort()

    async def _place(self, places: asyncio.Semaphore) -> None:
        if not places.locked():
            await places.acquire()
            return
        try:
            async with asyncio.timeout(self._connect_seconds):
                await places.acquire()
        except TimeoutError as exc:
            fact = Broken("timed_out", "upstream_unreachable", "all its connections are in use", sent=False)
            raise UpstreamBrokenError(fact) from exc

    def _from_pool(self) -> Http1Connection | None:
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.popleft().abort()
        version = self._tls_version()
        while self._idle:
            carrier = self._idle.pop()
            if carrier.reusable and carrier.tls_version == version:
                return carrier
            carrier.abort()
        return None

    def _tls_version(self) -> int:
        """Of the certificates in force. What was opened with others is somebody else to upstream, or was believed by
        who is believed no more."""
        if self._tls is None:
            return 0
        self._tls.prepare()
        return self._tls.version

    async def _connect(self, make: Callable[[], Carrier]) -> Carrier:
        try:
            async with asyncio.timeout(self._connect_seconds):
                addresses = await _pinned(self._address.host, self._address.port)
                version = self._tls_version()
                carrier = await self._connect_to(addresses, make)
                carrier.tls_version = version
                return carrier
        except TimeoutError as exc:
            fact = Broken("timed_out", "upstream_unreachable", "no connection in time", sent=False)
            raise UpstreamBrokenError(fact) from exc
        except (OSError, ssl.SSLError) as exc:
            fact = Broken("upstream_failed", "upstream_unreachable", _told(exc), sent=False)
            raise UpstreamBrokenError(fact) from exc
        except AddressError as exc:
            fact = Broken("upstream_failed", "upstream_unreachable", str(exc), sent=False)
            raise UpstreamBrokenError(fact) from exc

    async def _connect_to(self, addresses: list[str], make: Callable[[], Carrier]) -> Carrier:
        """A connection to the first that takes one. TLS still asks for the name, and its failure is final."""
        context = self._tls.context() if self._tls else None
        loop = asyncio.get_running_loop()
        *others, last = addresses
        for host in others:
            try:
                return await self._carrier(loop, host, context, make)
            except ssl.SSLError:
                raise
            except OSError:
                continue  # refused, or no way to it
        return await self._carrier(loop, last, context, make)

    async def _carrier(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        context: ssl.SSLContext | None,
        make: Callable[[], Carrier],
    ) -> Carrier:
        port = self._address.port
        name = self._tls.server_name(self._address.host) if self._tls else None
        if context is not None and make is not Http1Connection:
            return await secured(make, host, port, context, name)
        _, carrier = await loop.create_connection(make, host, port, ssl=context, server_hostname=name)
        return carrier

    def _encoded(self, request: Forward) -> bytes:
        target = wire_target(self._address.target, request)
        lines = [f"{request.method} {target} HTTP/1.1\r\n".encode("ascii"), self._head, _length(request)]
        lines += [b"%b: %b\r\n" % pair for pair in request.headers]
        return b"".join([*lines, b"accept-encoding: identity\r\n\r\n", request.body])


def _told(error: OSError) -> str:
    """What went wrong on the way: of a certificate also why it is not believed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        other_name = (
            error.verify_code in _NAME_CODES
        )  # OpenSSL's text would tell the client the upstream's name
        return f"its certificate: {'is for another name' if other_name else error.verify_message}"
    return type(error).__name__


async def _pinned(host: str, port: int) -> list[str]:
    """The addresses of an upstream: looked up once, judged, and connected to as judged. A name must not lead to a
    cloud's metadata service; an address that stands in the settings is taken as it is. Raises AddressError."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        return list(dict.fromkeys(map(str, await resolve(host, port, _REACHABLE))))


def _length(request: Forward) -> bytes:
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        return b"content-length: %d\r\n" % len(request.body)
    return b""
