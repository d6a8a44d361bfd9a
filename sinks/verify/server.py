"""The part of the store process's API that hands out the trail for a check: /api/proof, behind the same token.

    GET /api/proof/partitions                                  a JSON list
    GET /api/proof/ends?partition=P                            {"rows_end": …, "signed_end": …}, offsets or null
    GET /api/proof/offsets?partition=P&…                       8 bytes an offset, little-endian, ascending
    GET /api/proof/{part}?partition=P&after=PLACE&limit=N&…    an Avro object container; empty when nothing follows

`…`: which rows (session, connection, since and until in microseconds).

It has a connection to the store of its own, so a check holds up neither the sink nor who reads the trail.
"""

from collections.abc import Callable

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sinks.clickhouse import ClickHouseAddress, StoreThread
from sinks.verify.pages import (
    LIMIT_MAX,
    RESULT_BYTES_MAX,
    Part,
    ends_statement,
    offsets_statement,
    page_statement,
    partitions_statement,
)
from sinks.verify.select import FORMAT, SETTINGS
from sinks.verify.selection import Selection, SelectionError

LIMITS = {
    "max_memory_usage": 1 << 30,
    "max_threads": 2,
    "max_execution_time": 120,
    "max_result_bytes": RESULT_BYTES_MAX,
    "result_overflow_mode": "throw",
}
TOO_MUCH = frozenset({241, 396})  # memory, result size; ClickHouse, src/Common/ErrorCodes.cpp


class ProofApi:
    """Answers from the store at `address`."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._database = address.database
        self._store = StoreThread(lambda: address.connect(LIMITS, database=address.database), "store-proof")

    def routes(self) -> list[Route]:
        """For the API's application."""
        return [
            Route("/api/proof/partitions", self._partitions),
            Route("/api/proof/ends", self._ends),
            Route("/api/proof/offsets", self._offsets),
            Route("/api/proof/{part}", self._page),
        ]

    async def close(self) -> None:
        """Gives the connection back."""
        await self._store.close()

    async def _partitions(self, _request: Request) -> Response:
        return await self._answer(lambda client: JSONResponse(partitions(client, self._database)))

    async def _ends(self, request: Request) -> Response:
        partition = _number(request, "partition")
        if partition is None:
            return PlainTextResponse("partition must be a number\n", 400)
        return await self._answer(lambda client: JSONResponse(ends(client, self._database, partition)))

    async def _offsets(self, request: Request) -> Response:
        partition = _number(request, "partition")
        try:
            chosen = _selection(request)
        except SelectionError as error:
            return PlainTextResponse(f"{error}\n", 400)
        if partition is None:
            return PlainTextResponse("partition must be a number\n", 400)
        return await self._answer(
            lambda client: Response(
                offsets(client, self._database, partition, chosen), media_type="application/octet-stream"
            )
        )

    async def _page(self, request: Request) -> Response:
        wanted = request.path_params["part"]
        partition, after, limit = (_number(request, name) for name in ("partition", "after", "limit"))
        if wanted not in tuple(Part):
            return PlainTextResponse("there is no such part\n", 404)
        if partition is None or after is None or limit is None or not 1 <= limit <= LIMIT_MAX:
            return PlainTextResponse(
                f"partition, after and limit (at most {LIMIT_MAX}) must be numbers\n", 400
            )
        try:
            chosen = _selection(request)
        except SelectionError as error:
            return PlainTextResponse(f"{error}\n", 400)
        statement = page_statement(self._database, Part(wanted), partition, after, limit, chosen)
        return await self._answer(lambda client: Response(ask(client, statement), media_type="avro/binary"))

    async def _answer(self, work: Callable[[Client], Response]) -> Response:
        try:
            return await self._store.call(work)
        except DatabaseError as error:
            return PlainTextResponse(f"{error}\n", 413 if error.code in TOO_MUCH else 503)
        except ClickHouseError as error:
            return PlainTextResponse(f"{error}\n", 503)


def ask(client: Client, statement: str) -> bytes:
    """The answer as an Avro object container."""
    return bytes(client.raw_query(statement, fmt=FORMAT, settings=SETTINGS))


def partitions(client: Client, database: str) -> list[int]:
    """The partitions that there is anything of."""
    return [number for (number,) in client.query(partitions_statement(database)).result_rows]


def ends(client: Client, database: str, partition: int) -> dict[str, int | None]:
    """The last offset that is stored, and the one after what is signed."""
    found = client.query(ends_statement(database, partition)).result_rows[0]
    return dict(zip(("rows_end", "signed_end"), found, strict=True))


def offsets(client: Client, database: str, partition: int, wanted: Selection) -> bytes:
    """The offsets of the rows in `wanted`, 8 bytes each, little-endian, ascending."""
    return bytes(client.raw_query(offsets_statement(database, partition, wanted), fmt="RowBinary"))


def _selection(request: Request) -> Selection:
    """Raises SelectionError."""
    since, until = (_number(request, name) for name in ("since", "until"))
    return Selection(
        request.query_params.get("session", ""),
        request.query_params.get("connection", ""),
        -1 if since is None else since,
        -1 if until is None else until,
    )


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.removeprefix("-").isdecimal() and len(text) <= 20 else None
