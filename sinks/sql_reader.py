"""The reader that asks the store itself: the embedded one from the process that owns it, or a server."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.query import QueryResult

from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreThread
from sinks.queries import Queries, Query
from sinks.readers import (
    LIMIT_MAX,
    AdminAct,
    AdminFilter,
    ApprovalFilter,
    Branch,
    Exchange,
    Finding,
    FindingFilter,
    FindingRate,
    Frame,
    FrameFilter,
    ReadError,
    Session,
    SessionFilter,
    StoredApproval,
    Table,
)
from sinks.rows import frames_of, plain
from sinks.statements import check_statement
from sinks.tree import Causes

ROWS_MAX = 10_000
RESULT_BYTES_MAX = 64 * 1024 * 1024
_SECONDS_MAX = 30
_PROVISIONAL = 50  # ids to look at beyond the limit: sessions that turn out to hold no exchange of their own

# Limits of every question: it may neither take the machine from the sink nor grow without bound.
_LIMITS: dict[str, Any] = {
    "max_execution_time": _SECONDS_MAX,
    "max_memory_usage": 1 << 30,
    "max_bytes_before_external_group_by": 256 << 20,
    "max_bytes_before_external_sort": 256 << 20,
    "max_threads": 2,
    "max_block_size": 8192,
}
_FREE_LIMITS = {
    **_LIMITS,
    "max_result_rows": ROWS_MAX,
    "max_result_bytes": RESULT_BYTES_MAX,
    "result_overflow_mode": "throw",
    "readonly": 1,  # the last one: nothing can be set after it
}
# The store's codes for being away or overloaded rather than asked wrongly.
_AWAY = frozenset({3, 159, 202, 209, 210, 241, 242, 243, 279, 425})


class SqlReader:
    """Reads through two clients of its own: one for our questions, one for free queries, so neither waits long."""

    def __init__(self, address: ClickHouseAddress) -> None:
        database = address.database
        self._address = address
        self._queries = Queries(database)
        self._own = StoreThread(lambda: address.connect(_LIMITS, database=database), "store-read")
        self._free = StoreThread(lambda: address.connect(_FREE_LIMITS, database=database), "store-query")

    async def sessions(self, wanted: SessionFilter, limit: int) -> list[Session]:
        """See Reader."""
        count = _checked(limit)
        found = await self._rows(self._queries.latest_sessions(wanted, count + _PROVISIONAL))
        ids = [str(row["session_id"]) for row in found]
        rows = await self._rows(self._queries.sessions(ids)) if ids else []
        return [plain(row) for row in rows[:count]]

    async def session(self, session_id: str) -> Session | None:
        """See Reader."""
        rows = await self._rows(self._queries.sessions([_uuid(session_id)]))
        return plain(rows[0]) if rows else None

    async def frames(self, wanted: FrameFilter, limit: int) -> list[Frame]:
        """See Reader."""
        count, astray = _checked(limit), []
        if wanted.exchange:
            _uuid(wanted.exchange)
        if wanted.session:
            found = await self._rows(self._queries.astray(_uuid(wanted.session)))
            astray = [str(row["exchange_id"]) for row in found]
        rows = await self._rows(self._queries.frames(wanted, astray, count), bodies=True)
        split = [row for row in rows if row["parts"] > 1]
        further = await self._further_parts(split) if split else []
        return await asyncio.to_thread(frames_of, rows, further)

    async def _further_parts(self, split: list[dict[str, Any]]) -> list[dict[str, Any]]:
        frames = [str(row["frame_id"]) for row in split]
        sessions = sorted({str(row["session_id"]) for row in split})
        return await self._rows(self._queries.further_parts(frames, sessions), bodies=True)

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """See Reader."""
        rows = await self._rows(self._queries.exchange(_uuid(exchange_id)))
        if not rows:
            return None
        found: Exchange = plain(rows[0])
        found["frame_list"] = await self.frames(FrameFilter(exchange=exchange_id), LIMIT_MAX)
        return found

    async def tree(self, exchange_id: str) -> list[Branch]:
        """See Reader."""
        return await Causes(self._queries, self._plain).tree(_uuid(exchange_id))

    async def _plain(self, query: Query) -> list[dict[str, Any]]:
        return [plain(row) for row in await self._rows(query)]

    async def admin(self, wanted: AdminFilter, limit: int) -> list[AdminAct]:
        """See Reader."""
        rows = await self._rows(self._queries.admin(wanted, _checked(limit)))
        return [plain(row) for row in rows]

    async def findings(self, wanted: FindingFilter, limit: int) -> list[Finding]:
        """See Reader."""
        rows = await self._rows(self._queries.findings(wanted, _checked(limit)))
        return [plain(row) for row in rows]

    async def finding(self, finding_id: str) -> Finding | None:
        """See Reader."""
        rows = await self._rows(self._queries.finding(_uuid(finding_id)))
        if not rows:
            return None
        found: Finding = plain(rows[0])
        found["acts"] = plain(await self._rows(self._queries.finding_acts(finding_id)))
        return found

    async def finding_rates(self) -> list[FindingRate]:
        """See Reader."""
        return [plain(row) for row in await self._rows(self._queries.finding_rates())]

    async def approvals(self, wanted: ApprovalFilter, limit: int) -> list[StoredApproval]:
        """See Reader."""
        rows = await self._rows(self._queries.approvals(wanted, _checked(limit)))
        return [plain(row) for row in rows]

    async def query(self, sql: str) -> Table:
        """See Reader; at most 10,000 rows and 64 MB, 30 seconds."""
        statement = check_statement(sql)
        result = await self._ask(self._free, lambda client: client.query(statement))
        rows = await asyncio.to_thread(lambda: [[plain(cell) for cell in row] for row in result.result_rows])
        return Table(list(result.column_names), rows)

    async def close(self) -> None:
        """See Reader."""
        await self._own.close()
        await self._free.close()

    async def _rows(self, query: Query, *, bodies: bool = False) -> list[dict[str, Any]]:
        text, values = query
        formats: dict[str, str | dict[str, str]] = {"body": "bytes"} if bodies else {}
        result = await self._ask(
            self._own, lambda c: c.query(text, parameters=values, column_formats=formats)
        )
        return list(result.named_results())

    async def _ask(self, thread: StoreThread, ask: Callable[[Client], QueryResult]) -> QueryResult:
        try:
            return await thread.call(ask)
        except DatabaseError as exc:
            if exc.code is None or exc.code in _AWAY:
                raise StoreAwayError(f"{self._address} did not answer: {exc}") from exc
            raise ReadError(str(exc)) from exc
        except ClickHouseError as exc:
            raise StoreAwayError(f"{self._address} did not answer: {exc}") from exc


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ReadError(f"{text!r} is no id; ids look like 0193b2f0-5c1e-7cc1-9c1e-0242ac120002") from None


def _checked(limit: int) -> int:
    if not 1 <= limit <= LIMIT_MAX:
        raise ReadError(f"limit must lie between 1 and {LIMIT_MAX:,}")
    return limit
