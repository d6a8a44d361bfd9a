"""The reader that asks the store itself: the embedded one from the process that owns it, or a server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError
from clickhouse_connect.driver.query import QueryResult

from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreThread
from sinks.conditions import Query
from sinks.exchange_queries import ExchangeQueries, Lying
from sinks.exchanges import Exchanges
from sinks.overview_queries import OverviewQueries
from sinks.overviews import Overviews
from sinks.queries import DIGESTS, Queries
from sinks.readers import (
    LIMIT_MAX,
    AdminAct,
    AdminFilter,
    ApprovalFilter,
    Branch,
    Exchange,
    Finding,
    FindingAct,
    FindingFilter,
    FindingRate,
    Frame,
    FrameDetail,
    FrameFilter,
    Options,
    Overview,
    ReadError,
    Scope,
    Session,
    SessionCounts,
    SessionFilter,
    StoredApproval,
    Table,
)
from sinks.rows import frames_of, plain
from sinks.session_lists import SessionLists
from sinks.session_queries import SessionQueries
from sinks.statements import check_statement
from sinks.tree import Causes

ROWS_MAX = 10_000
RESULT_BYTES_MAX = 64 * 1024 * 1024
_SECONDS_MAX = 30

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

Sandboxed = Callable[[str, int], Awaitable[QueryResult]]  # a statement, and how many rows at most


class SqlReader:
    """Reads through two clients of its own: one for our questions, one for free queries, so neither waits long."""

    def __init__(self, address: ClickHouseAddress, sandboxed: Sandboxed | None = None) -> None:
        """`sandboxed` answers free queries instead of the engine itself, which has no users to hold anybody back."""
        database = address.database
        self._address = address
        self._sandboxed = sandboxed
        self._queries = Queries(database)
        self._exchanges = Exchanges(ExchangeQueries(database), self._plain)
        self._sessions = SessionLists(SessionQueries(database), self._exchanges, self._plain)
        self._overviews = Overviews(OverviewQueries(database), self._plain)
        self._own = StoreThread(lambda: address.connect(_LIMITS, database=database), "store-read")
        self._free = StoreThread(lambda: address.connect(_FREE_LIMITS, database=database), "store-query")

    async def sessions(self, wanted: SessionFilter, limit: int) -> list[Session]:
        """See Reader."""
        return await self._sessions.page(wanted, _checked(limit))

    async def session(self, session_id: str, connections: Scope = None) -> Session | None:
        """See Reader."""
        rows = await self._exchanges.sessions([_uuid(session_id)], connections)
        return rows[0] if rows else None

    async def session_counts(self, wanted: SessionFilter, buckets: int) -> SessionCounts:
        """See Reader."""
        return await self._sessions.counts(wanted, buckets)

    async def session_exchanges(
        self, session_id: str, limit: int, after: str = "", connections: Scope = None
    ) -> list[Exchange]:
        """See Reader."""
        last = _uuid(after) if after else ""
        return await self._exchanges.of_session(_uuid(session_id), _checked(limit), last, connections)

    async def frames(self, wanted: FrameFilter, limit: int) -> list[Frame]:
        """See Reader."""
        count = _checked(limit)
        lying = Lying([], [], "", "")
        if wanted.exchange:
            _uuid(wanted.exchange)
        if wanted.session:
            lying = await self._exchanges.lying([_uuid(wanted.session)])
        rows = await self._rows(self._queries.frames(wanted, lying, count), raw=("body",))
        split = [row for row in rows if row["parts"] > 1]
        further = await self._further_parts(split) if split else []
        return await asyncio.to_thread(frames_of, rows, further)

    async def _further_parts(self, split: list[dict[str, Any]]) -> list[dict[str, Any]]:
        frames = [str(row["frame_id"]) for row in split]
        sessions = sorted({str(row["session_id"]) for row in split})
        return await self._rows(self._queries.further_parts(frames, sessions), raw=("body",))

    async def frame(self, frame_id: str, connections: Scope = None) -> FrameDetail | None:
        """See Reader."""
        query = self._queries.frame(_uuid(frame_id), connections)
        rows = await self._rows(query, raw=("body", *DIGESTS))
        further = await self._further_parts(rows) if rows and rows[0]["parts"] > 1 else []
        found = await asyncio.to_thread(frames_of, rows, further)
        return cast("FrameDetail", found[0]) if found else None

    async def exchange(self, exchange_id: str, connections: Scope = None) -> Exchange | None:
        """See Reader."""
        rows = await self._exchanges.by_id([_uuid(exchange_id)], connections)
        if not rows:
            return None
        found = rows[0]
        asked = FrameFilter(exchange=exchange_id, connections=connections)
        found["frame_list"] = await self.frames(asked, LIMIT_MAX)
        return found

    async def tree(self, exchange_id: str, connections: Scope = None) -> list[Branch]:
        """See Reader."""
        return await Causes(self._queries, self._exchanges, self._plain, connections).tree(_uuid(exchange_id))

    async def _plain(self, query: Query) -> list[dict[str, Any]]:
        rows = await self._rows(query)
        return [plain(row) for row in rows]

    async def admin(self, wanted: AdminFilter, limit: int) -> list[AdminAct]:
        """See Reader."""
        rows = await self._plain(self._queries.admin(wanted, _checked(limit)))
        return cast("list[AdminAct]", _latest_first(rows, "at", "admin_id"))

    async def findings(self, wanted: FindingFilter, limit: int) -> list[Finding]:
        """See Reader."""
        rows = await self._plain(self._queries.findings(wanted, _checked(limit)))
        return cast("list[Finding]", _latest_first(rows, "raised_at", "finding_id"))

    async def finding(self, finding_id: str, connections: Scope = None) -> Finding | None:
        """See Reader."""
        rows = await self._plain(self._queries.finding(_uuid(finding_id), connections))
        if not rows:
            return None
        found = cast("Finding", rows[0])
        found["acts"] = cast("list[FindingAct]", await self._plain(self._queries.finding_acts(finding_id)))
        return found

    async def finding_rates(self, connections: Scope = None) -> list[FindingRate]:
        """See Reader."""
        return cast("list[FindingRate]", await self._plain(self._queries.finding_rates(connections)))

    async def approvals(self, wanted: ApprovalFilter, limit: int) -> list[StoredApproval]:
        """See Reader."""
        rows = await self._plain(self._queries.approvals(wanted, _checked(limit)))
        return cast("list[StoredApproval]", _latest_first(rows, "requested_at", "approval_id"))

    async def approval(self, approval_id: str, connections: Scope = None) -> StoredApproval | None:
        """See Reader."""
        rows = await self._plain(self._queries.approval(_uuid(approval_id), connections))
        return cast("StoredApproval", rows[0]) if rows else None

    async def overview(self, since: str, until: str, connections: Scope = None) -> Overview:
        """See Reader."""
        return await self._overviews.overview(since, until, connections)

    async def options(self, connections: Scope = None) -> Options:
        """See Reader."""
        return await self._overviews.options(connections)

    async def query(self, sql: str) -> Table:
        """See Reader; at most 10,000 rows and 64 MB, 30 seconds."""
        statement = check_statement(sql)
        if self._sandboxed is None:
            result = await self._ask(self._free, lambda client: client.query(statement))
        else:
            result = await self._sandboxed(statement, ROWS_MAX)
        rows = await asyncio.to_thread(lambda: [[plain(cell) for cell in row] for row in result.result_rows])
        return Table(list(result.column_names), rows)

    async def close(self) -> None:
        """See Reader."""
        await self._own.close()
        await self._free.close()

    async def _rows(self, query: Query, *, raw: Sequence[str] = ()) -> list[dict[str, Any]]:
        text, values = query
        formats: dict[str, str | dict[str, str]] = dict.fromkeys(raw, "bytes")
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


def _latest_first(rows: list[dict[str, Any]], moment: str, key: str) -> list[dict[str, Any]]:
    """`rows` by time, and by id where the time is one."""
    return sorted(rows, key=lambda row: (row[moment], row[key]), reverse=True)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ReadError(f"{text!r} is no id; ids look like 0193b2f0-5c1e-7cc1-9c1e-0242ac120002") from None


def _checked(limit: int) -> int:
    if not 1 <= limit <= LIMIT_MAX:
        raise ReadError(f"limit must lie between 1 and {LIMIT_MAX:,}")
    return limit
