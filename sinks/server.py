"""The query API of the process that owns the store: probes, metrics, and the reader over HTTP as JSON lines."""

import json
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sinks.access import App, Guard
from sinks.clickhouse import StoreAwayError, StoreError
from sinks.metrics import SinkMetrics
from sinks.readers import (
    AdminFilter,
    ApprovalFilter,
    FindingFilter,
    FrameFilter,
    Reader,
    ReadError,
    SessionFilter,
)

_LIMIT_DEFAULT = 100
_BODY_BYTES_MAX = 128 * 1024
_TRUE = ("1", "true", "yes")

Filter = TypeVar("Filter", FrameFilter, SessionFilter, AdminFilter, FindingFilter, ApprovalFilter)


class QueryApi:
    """The routes. `fault` tells why the process is not ready, '' when it is."""

    def __init__(
        self, reader: Reader, metrics: SinkMetrics, observe: Callable[[], None], fault: Callable[[], str]
    ) -> None:
        self._reader = reader
        self._metrics = metrics
        self._observe = observe
        self._fault = fault

    def app(self, token: str, hosts: frozenset[str]) -> App:
        """The ASGI application, guarded by `token` and the allowed Host names."""
        routes = [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics_page),
            Route("/api/sessions", _answering(self._sessions)),
            Route("/api/sessions/{id}", _answering(self._session)),
            Route("/api/frames", _answering(self._frames)),
            Route("/api/exchanges/{id}", _answering(self._exchange)),
            Route("/api/trees/{id}", _answering(self._tree)),
            Route("/api/admin", _answering(self._admin)),
            Route("/api/findings", _answering(self._findings)),
            Route("/api/findings/{id}", _answering(self._finding)),
            Route("/api/finding-rates", _answering(self._finding_rates)),
            Route("/api/approvals", _answering(self._approvals)),
            Route("/api/query", _answering(self._query), methods=["POST"]),
        ]
        return Guard(Starlette(routes=routes), token, hosts)

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        fault = self._fault()
        return PlainTextResponse(f"{fault or 'ready'}\n", 503 if fault else 200)

    async def _metrics_page(self, _request: Request) -> Response:
        self._observe()
        return Response(self._metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _sessions(self, request: Request) -> Response:
        return _lines(await self._reader.sessions(_filter(SessionFilter, request), _limit(request)))

    async def _session(self, request: Request) -> Response:
        return _one(await self._reader.session(request.path_params["id"]), "session")

    async def _frames(self, request: Request) -> Response:
        return _lines(await self._reader.frames(_filter(FrameFilter, request), _limit(request)))

    async def _exchange(self, request: Request) -> Response:
        return _one(await self._reader.exchange(request.path_params["id"]), "exchange")

    async def _tree(self, request: Request) -> Response:
        return _lines(await self._reader.tree(request.path_params["id"]))

    async def _admin(self, request: Request) -> Response:
        return _lines(await self._reader.admin(_filter(AdminFilter, request), _limit(request)))

    async def _findings(self, request: Request) -> Response:
        return _lines(await self._reader.findings(_filter(FindingFilter, request), _limit(request)))

    async def _finding(self, request: Request) -> Response:
        return _one(await self._reader.finding(request.path_params["id"]), "finding")

    async def _finding_rates(self, _request: Request) -> Response:
        return _lines(await self._reader.finding_rates())

    async def _approvals(self, request: Request) -> Response:
        return _lines(await self._reader.approvals(_filter(ApprovalFilter, request), _limit(request)))

    async def _query(self, request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_BYTES_MAX:
                raise ReadError("the statement is too long", 413)
        try:
            sql = body.decode()
        except UnicodeDecodeError:
            raise ReadError("the statement is no UTF-8 text") from None
        table = await self._reader.query(sql)
        return _lines([{"columns": table.columns}, *table.rows])


class QueryServer(uvicorn.Server):
    """uvicorn on one socket, with the process's signals left to the one who runs it."""

    def __init__(self, app: App, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_level="warning",
            ws="none",
            limit_concurrency=64,
            timeout_graceful_shutdown=5,
            server_header=False,
        )
        super().__init__(config)
        self._listening = listening

    async def run_until_asked(self) -> None:
        """Serves until `should_exit` is set."""
        await self.serve(sockets=[self._listening])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes none."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises StoreError when it cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as exc:
        raise StoreError(
            f"the query API cannot listen on {host}:{port}: {exc.strerror or exc}; "
            "stop what uses the address, or choose another one in console.listen"
        ) from exc


def _answering(route: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """`route` with the reader's errors as HTTP statuses."""

    async def answer(request: Request) -> Response:
        try:
            return await route(request)
        except ReadError as exc:
            return PlainTextResponse(f"{exc}\n", exc.status)
        except StoreAwayError as exc:
            return PlainTextResponse(f"{exc}\n", 503)

    return answer


def _lines(rows: Iterable[Any]) -> Response:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return Response(text, media_type="application/x-ndjson")


def _one(row: Any, what: str) -> Response:
    if row is None:
        raise ReadError(f"there is no {what} with this id", 404)
    return _lines([row])


def _filter(kind: type[Filter], request: Request) -> Filter:
    given = dict(request.query_params)
    given.pop("limit", None)
    unknown = given.keys() - {field.name for field in fields(kind)}
    if unknown:
        raise ReadError(f"unknown parameter {', '.join(sorted(unknown))}")
    values: dict[str, Any] = dict(given)
    if "newest" in values:
        values["newest"] = values["newest"].lower() in _TRUE
    return kind(**values)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(_LIMIT_DEFAULT))
    if not text.isdecimal() or len(text) > 9:
        raise ReadError("limit must be a number")
    return int(text)
