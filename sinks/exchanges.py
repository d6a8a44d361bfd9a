"""Exchanges and sessions put together from their frames, wherever these lie."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from sinks.conditions import Query
from sinks.exchange_queries import ExchangeQueries, Lying
from sinks.filters import Scope
from sinks.shapes import Exchange, Session

Rows = Callable[[Query], Awaitable[list[dict[str, Any]]]]


class Exchanges:
    """Gives exact rows. `rows` asks the store and gives plain JSON values."""

    def __init__(self, queries: ExchangeQueries, rows: Rows) -> None:
        self._queries = queries
        self._rows = rows

    async def by_id(self, ids: list[str], connections: Scope) -> list[Exchange]:
        """Those of `ids` that are there, in order of time."""
        sessions = await self._lie_in(ids)
        if not sessions:
            return []
        lying = Lying([], sessions, *await self._between(sessions))
        return cast("list[Exchange]", await self._rows(self._queries.by_id(ids, lying, connections)))

    async def of_session(self, session: str, limit: int, after: str, connections: Scope) -> list[Exchange]:
        """See `Reader.session_exchanges`."""
        lying = await self.lying([session])
        query = self._queries.of_session(session, lying, limit, after, connections)
        return cast("list[Exchange]", await self._rows(query))

    async def sessions(self, ids: list[str], connections: Scope) -> list[Session]:
        """Those of `ids` that are there, the latest first."""
        if not ids:
            return []
        query = self._queries.sessions(ids, await self.lying(ids), connections)
        return cast("list[Session]", await self._rows(query))

    async def lying(self, sessions: list[str]) -> Lying:
        """Where the frames of the exchanges of `sessions` lie."""
        first, last = await self._between(sessions)
        found = await self._rows(self._queries.astray(sessions, first, last))
        exchanges = [row["exchange_id"] for row in found]
        beside = sorted(set(await self._lie_in(exchanges)) - set(sessions))
        if not beside:
            return Lying([], [], first, last)
        return Lying(exchanges, beside, *await self._between([*sessions, *beside]))

    async def _between(self, sessions: list[str]) -> tuple[str, str]:
        (row,) = await self._rows(self._queries.between(sessions))
        return row["first"], row["last"]

    async def _lie_in(self, exchanges: list[str]) -> list[str]:
        if not exchanges:
            return []
        return [row["session_id"] for row in await self._rows(self._queries.lie_in(exchanges))]
