"""The query API of the process that owns the store: probes, metrics, and the reader over HTTP as JSON lines."""

import json
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sinks.access import App, Guard
from sinks.clickhouse import StoreAwayError, StoreError
from sinks.metrics import SinkMetrics
from sinks.parameters import Filter, Parameters
from sinks.readers import (
    AdminFilter,
    ApprovalFilter,
    FindingFilter,
    FrameFilter,
    Reader,
    ReadError,
    Scope,
    SessionFilter,
)

_LIMIT_DEFAULT = 100
_BODY_BYTES_MAX = 128 * 1024
_BUCKETS_DEFAULT = 48

Answer = Callable[[Request], Awaitable[Response]]


class QueryApi:
    """The routes. `fault` tells why the process is not ready, '' when it is."""

    def __init__(
        self, reader: Reader, metrics: SinkMetrics, observe: Callable[[], None], fault: Callable[[], str]
    ) -> None:
        self._reader = reader
        self._metrics = metrics
        self._observe = observe
        self._fault = fault

    def app(self, token: str, hosts: frozenset[str], further: Iterable[Route] = ()) -> App:
        """The ASGI application, guarded by `token` and the allowed Host names; `further` routes stand beside ours."""
        routes = [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics_page),
            *(Route(path, _answering(answer)) for path, answer in self._answers()),
            Route("/api/query", _answering(self._query), methods=["POST"]),
            *further,
        ]
        return Guard(Starlette(routes=routes), token, hosts)

    def _answers(self) -> list[tuple[str, Answer]]:
        """What is read, by path."""
        return [
            ("/api/sessions", self._listed(SessionFilter, self._reader.sessions)),
            ("/api/session-counts", self._session_counts),
            ("/api/sessions/{id}", self._single("session", self._reader.session)),
            ("/api/sessions/{id}/exchanges", self._session_exchanges),
            ("/api/frames", self._listed(FrameFilter, self._reader.frames)),
            ("/api/frames/{id}", self._single("frame", self._reader.frame)),
            ("/api/exchanges/{id}", self._single("exchange", self._reader.exchange)),
            ("/api/trees/{id}", self._tree),
            ("/api/admin", self._listed(AdminFilter, self._reader.admin)),
            ("/api/findings", self._listed(FindingFilter, self._reader.findings)),
            ("/api/findings/{id}", self._single("finding", self._reader.finding)),
            ("/api/finding-rates", self._finding_rates),
            ("/api/approvals", self._listed(ApprovalFilter, self._reader.approvals)),
            ("/api/approvals/{id}", self._single("approval", self._reader.approval)),
            ("/api/overview", self._overview),
            ("/api/options", self._options),
        ]

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _readyz(self, _request: Request) -> Response:
        fault = self._fault()
        return PlainTextResponse(f"{fault or 'ready'}\n", 503 if fault else 200)

    async def _metrics_page(self, _request: Request) -> Response:
        self._observe()
        return Response(self._metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _listed(self, kind: type[Filter], ask: Callable[[Filter, int], Awaitable[Sequence[Any]]]) -> Answer:
        """Rows that a filter finds."""

        async def answer(request: Request) -> Response:
            given = Parameters(request.query_params.multi_items())
            limit, wanted = given.number("limit", _LIMIT_DEFAULT), given.filter(kind)
            given.done()
            return _lines(await ask(wanted, limit))

        return answer

    def _single(self, what: str, ask: Callable[[str, Scope], Awaitable[Any]]) -> Answer:
        """The one row of an id, within a scope."""

        async def answer(request: Request) -> Response:
            row = await ask(request.path_params["id"], _scope(request))
            if row is None:
                raise ReadError(f"there is no {what} with this id", 404)
            return _lines([row])

        return answer

    async def _session_counts(self, request: Request) -> Response:
        given = Parameters(request.query_params.multi_items())
        buckets, wanted = given.number("buckets", _BUCKETS_DEFAULT), given.filter(SessionFilter)
        given.done()
        return _lines([await self._reader.session_counts(wanted, buckets)])

    async def _session_exchanges(self, request: Request) -> Response:
        given = Parameters(request.query_params.multi_items())
        limit, after, scope = given.number("limit", _LIMIT_DEFAULT), given.text("after"), given.scope()
        given.done()
        session = request.path_params["id"]
        return _lines(await self._reader.session_exchanges(session, limit, after, scope))

    async def _tree(self, request: Request) -> Response:
        return _lines(await self._reader.tree(request.path_params["id"], _scope(request)))

    async def _finding_rates(self, request: Request) -> Response:
        return _lines(await self._reader.finding_rates(_scope(request)))

    async def _overview(self, request: Request) -> Response:
        given = Parameters(request.query_params.multi_items())
        since, until, scope = given.text("since"), given.text("until"), given.scope()
        given.done()
        return _lines([await self._reader.overview(since, until, scope)])

    async def _options(self, request: Request) -> Response:
        return _lines([await self._reader.options(_scope(request))])

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


def _answering(route: Answer) -> Answer:
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


def _scope(request: Request) -> Scope:
    """The scope of a question that has nothing else to say."""
    given = Parameters(request.query_params.multi_items())
    scope = given.scope()
    given.done()
    return scope
