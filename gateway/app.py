"""Wires the gateway: settings in, a served ASGI application out."""

import gc
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, partial

import uvicorn
from starlette.applications import Starlette

from gateway.edge.downstream import PREFIX, McpEndpoint
from gateway.edge.perform import Receive, Route, Scope, Write
from gateway.edge.probes import probe_routes
from gateway.edge.protocol import CorkedHttpProtocol
from gateway.edge.recorder import Recorder
from gateway.edge.stdio import StdioUpstream
from gateway.edge.upstream import HttpUpstream, Upstream
from gateway.exchange import Mask, MaskingFailedError, MaskText, Terms
from gateway.placed import placed
from gateway.settings import Connection, GatewaySettings
from gateway.workers import Workers, bound, shared_metrics_folder
from masking import Masker, MaskingError
from schemas.frames import Redaction
from schemas.kafka import KafkaAddress

GRACE_SECONDS = 8.0
DRAIN_SECONDS = 5.0
GC_ALLOCATIONS = 50_000

Prepare = Callable[[], None]


def _nothing() -> None:
    """Prepares nothing."""


class Gateway:
    """One gateway process: its recorder, its upstreams, its ASGI application."""

    def __init__(self, settings: GatewaySettings, kafka: KafkaAddress, worker: int = 0) -> None:
        limits = settings.limits
        self.recorder = Recorder(
            kafka,
            f"{settings.instance}/{uuid.uuid4().hex[:12]}/{worker}",
            deadline_seconds=settings.record_deadline_seconds,
            frames_max=limits.unrecorded_frames_max,
            bytes_max=limits.unrecorded_bytes_max,
        )
        self._routes = {c.name: _route(c, settings) for c in settings.connections}
        nowhere = _terms("unknown", "secrets", settings)
        self.endpoint = McpEndpoint(self._routes, nowhere, self.recorder, limits, settings.host)
        self.app = Starlette(routes=probe_routes(self.recorder), lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Write) -> None:
        """The ASGI application: the data path goes straight to its endpoint, the rest through Starlette."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self.endpoint(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.recorder.start()
        yield
        for route in self._routes.values():
            await route.upstream.close()
        await self.recorder.stop(DRAIN_SECONDS)


class _Server(uvicorn.Server):
    """Ends streams on a signal, each with its record, before it waits for the other exchanges."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._gateway.endpoint.stop(GRACE_SECONDS)
        await super().shutdown(sockets)


def serve(settings: GatewaySettings, kafka: KafkaAddress, prepare: Prepare = _nothing) -> None:
    """Runs the gateway until SIGTERM or SIGINT. Raises OSError when the address cannot be had.

    `prepare` runs first in each process, to set up its logs; with several workers it must be picklable.
    """
    listening = bound(settings.host, settings.port)
    if settings.workers == 1:
        serve_one(settings, kafka, prepare, 0, listening)
        return
    shared_metrics_folder()
    Workers(partial(serve_one, settings, kafka, prepare), settings.workers, listening).run()


def serve_one(
    settings: GatewaySettings, kafka: KafkaAddress, prepare: Prepare, worker: int, listening: socket.socket
) -> None:
    """Runs one gateway process on a listening socket until it is told to stop."""
    prepare()
    gateway = Gateway(settings, kafka, worker)
    spare_the_collector()
    _Server(http_config(gateway), gateway).run([listening])


def http_config(gateway: Gateway) -> uvicorn.Config:
    """How uvicorn serves a gateway."""
    return uvicorn.Config(
        gateway,
        loop="uvloop",
        http=CorkedHttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # nobody may name another peer address (ABUSE 16)
        timeout_graceful_shutdown=int(GRACE_SECONDS),
        timeout_keep_alive=75,
    )


def spare_the_collector() -> None:
    """What was made until now stays for good, and exchanges hardly make cycles: look for those less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 20, 20)


def _route(connection: Connection, settings: GatewaySettings) -> Route:
    return Route(connection, _terms(connection.name, connection.masking, settings), _upstream(connection))


def _terms(name: str, profile: str, settings: GatewaySettings) -> Terms:
    mask = _mask(settings.masking_key, profile)
    return Terms(name, mask, _mask_text(mask), settings.limits, policy_version="")


def _upstream(connection: Connection) -> Upstream:
    return StdioUpstream(connection) if connection.command else HttpUpstream(connection)


def _mask(key: bytes, profile: str) -> Mask:
    masker = Masker(key, profile)

    def mask(body: bytes) -> tuple[bytes, list[Redaction]]:
        if not body:
            return body, []
        try:
            masked = masker.mask(body)
        except MaskingError as exc:
            raise MaskingFailedError(str(exc)) from exc
        except Exception as exc:
            raise MaskingFailedError(type(exc).__name__) from exc
        return masked.text, placed(masked)

    return mask


def _mask_text(mask: Mask) -> MaskText:
    """Header lines of one client hardly differ from request to request, so what was masked is remembered."""

    @lru_cache(maxsize=1024)
    def mask_text(text: str) -> tuple[str, list[Redaction]]:
        masked, redactions = mask(text.encode("latin-1", "replace"))
        return masked.decode("latin-1"), redactions

    return mask_text
