"""What analysts get from the store process over HTTP: saved queries behind its token, and free SQL in the sandbox."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict

from clickhouse_connect.driver.query import QueryResult
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sinks.clickhouse import ClickHouseAddress, StoreAwayError
from sinks.readers import ReadError
from sinks.sql.direct import EXPORTS, MEDIA_TYPES, TABLE, Direct
from sinks.sql.http_form import SqlForm
from sinks.sql.sandbox import FRESH_S, Question, Sandbox
from sinks.sql.saved import SavedError, saved, saved_queries
from sinks.sql.table import rows_of

_PARAM = "param_"


class SqlApi:
    """The routes of one store process; a server has users of its own, and no sandbox."""

    def __init__(self, address: ClickHouseAddress, *, fresh_s: float = FRESH_S) -> None:
        self._address = address
        self._direct = Direct(address)
        self._sandbox = Sandbox(address, fresh_s=fresh_s) if address.embedded else None
        if self._sandbox is not None:
            self._sandbox.clear()

    @property
    def sandboxed(self) -> Callable[[str, int], Awaitable[QueryResult]] | None:
        """Answers one statement with at most so many rows; None where the store itself holds people back."""
        return self._rows if self._sandbox is not None else None

    def routes(self, token: str) -> list[Route]:
        """For the API's application; those under /api stand behind its guard, the form has one of its own."""
        form: Iterable[Route] = ()
        if self._sandbox is not None:
            form = SqlForm(self._sandbox, token, self._address.database).routes()
        return [Route("/api/queries", self._list), Route("/api/queries/{name}", self._run), *form]

    async def _rows(self, sql: str, rows_max: int) -> QueryResult:
        assert self._sandbox is not None
        answer = await self._sandbox.ask(Question(sql, "Native", settings={"max_result_rows": str(rows_max)}))
        if answer.code:
            raise ReadError(answer.error)
        return await asyncio.to_thread(rows_of, answer.body)

    async def close(self) -> None:
        """Ends what it started."""
        if self._sandbox is not None:
            await self._sandbox.close()
        await self._direct.close()

    async def _list(self, _request: Request) -> Response:
        return JSONResponse([asdict(query) for query in saved_queries().values()])

    async def _run(self, request: Request) -> Response:
        values = dict(request.query_params)
        form = values.pop("format", TABLE)
        strange = [name for name in values if not name.startswith(_PARAM)]
        if strange or form not in (*EXPORTS, TABLE):
            return PlainTextResponse(
                f"give param_NAME=VALUE, and as format one of {', '.join(EXPORTS)}\n", 400
            )
        given = {name.removeprefix(_PARAM): value for name, value in values.items()}
        try:
            answer = await self._direct.run(saved(request.path_params["name"]), given, form)
        except SavedError as exc:
            return PlainTextResponse(f"{exc}\n", 404)
        except StoreAwayError as exc:
            return PlainTextResponse(f"{exc}\n", 503)
        if answer.code:
            return PlainTextResponse(f"{answer.error}\n", 400)
        headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
        return Response(answer.body, media_type=MEDIA_TYPES.get(form, "application/json"), headers=headers)
