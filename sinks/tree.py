"""What caused what: a tool call and the requests that the server behind it sent elsewhere, as one tree.

A request says which exchange caused it by the User-Agent that the server hands on, or else by the trace that both are
of. Whoever sends it says so, and so a cause counts only where that exchange is there and was under way: as in
`v_exchange_tree`, and a test holds the two together. The questions here are narrowed by time, which a view cannot do.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sinks.conditions import Query
from sinks.exchanges import Exchanges
from sinks.filters import Scope
from sinks.queries import Queries
from sinks.readers import Branch, Exchange

DEPTH_MAX = 16
BRANCHES_MAX = 1_000
SKEW = timedelta(seconds=1)
"""How far the clocks of replicas may differ."""

_EARLIER = timedelta(hours=1)
"""How long before a request the call of its trace is looked for."""

Rows = Callable[[Query], Awaitable[list[dict[str, Any]]]]


class Causes:
    """Finds causes and effects within a scope. `rows` asks the store and gives plain JSON values."""

    def __init__(self, queries: Queries, exchanges: Exchanges, rows: Rows, connections: Scope = None) -> None:
        self._queries = queries
        self._stored = exchanges
        self._rows = rows
        self._connections = connections

    async def tree(self, exchange_id: str) -> list[Branch]:
        """See `Reader.tree`."""
        found = await self._exchanges([exchange_id])
        if not found:
            return []
        first = await self._first_cause(found[0])
        branches: list[Branch] = []
        await self._below([_branch(first, 0, None)], {first["exchange_id"]}, branches)
        return _in_order(branches, first["exchange_id"])

    async def _first_cause(self, exchange: Exchange) -> Exchange:
        seen = {exchange["exchange_id"]}
        for _ in range(DEPTH_MAX):
            above = await self._cause(exchange)
            if above is None or above["exchange_id"] in seen:
                break
            seen.add(above["exchange_id"])
            exchange = above
        return exchange

    async def _cause(self, exchange: Exchange) -> Exchange | None:
        claimed = exchange["parent_exchange_id"]
        if claimed:
            possible = await self._exchanges([claimed]) if _is_uuid(claimed) else []
        else:
            possible = await self._calls_of_traces([exchange])
        found: Exchange | None = _nearest(exchange, possible)
        return found

    async def _calls_of_traces(self, effects: Sequence[Exchange]) -> list[Exchange]:
        """The calls that may have caused those of `effects` that name no cause, by their traces."""
        silent = [each for each in effects if not each["parent_exchange_id"] and each["protocol"] != "mcp"]
        traces = {each["attributes"].get("trace.id", "") for each in silent} - {""}
        if not traces:
            return []
        moments = [_moment(each["started_at"]) for each in silent]
        since, until = min(moments) - _EARLIER, max(moments) + SKEW
        query = self._queries.calls_of_traces(
            sorted(traces), since.isoformat(), until.isoformat(), BRANCHES_MAX
        )
        return await self._exchanges([row["exchange_id"] for row in await self._rows(query)])

    async def _below(self, level: list[Branch], seen: set[str], branches: list[Branch]) -> None:
        """Adds `level` and everything below it."""
        for _ in range(DEPTH_MAX):
            branches += level
            if not level or len(branches) >= BRANCHES_MAX:
                return
            effects = await self._effects(level)
            there = {each["exchange_id"]: each for each in branches}
            possible = [*branches, *await self._calls_of_traces(effects)]
            level = []
            for effect in effects:
                nearest = _nearest(effect, possible)
                cause = there.get(nearest["exchange_id"]) if nearest else None
                if cause is not None and effect["exchange_id"] not in seen:
                    seen.add(effect["exchange_id"])
                    level.append(_branch(effect, cause["depth"] + 1, cause))

    async def _effects(self, level: Sequence[Branch]) -> list[Exchange]:
        """Exchanges that may be caused by one of `level`."""
        ids = [each["exchange_id"] for each in level]
        traces = {each["attributes"].get("trace.id", "") for each in level if each["protocol"] == "mcp"}
        since = min(_moment(each["started_at"]) for each in level) - SKEW
        until = max(_open_until(each) for each in level) + SKEW
        query = self._queries.caused(
            ids, sorted(traces - {""}), since.isoformat(), until.isoformat(), BRANCHES_MAX
        )
        return await self._exchanges([row["exchange_id"] for row in await self._rows(query)])

    async def _exchanges(self, ids: list[str]) -> list[Exchange]:
        return await self._stored.by_id(ids, self._connections)


def _nearest(effect: Exchange, possible: Sequence[Any]) -> Any:
    """Of the exchanges that may have caused `effect` the one that began last; None where no claim holds."""
    holding = [each for each in possible if _caused(each, effect)]
    return max(holding, key=lambda each: each["started_at"], default=None)


def _caused(cause: Exchange, effect: Exchange) -> bool:
    """Whether what `effect` says of its cause fits `cause`, and that was under way."""
    claimed = effect["parent_exchange_id"]
    if claimed:
        meant = claimed == cause["exchange_id"]
    else:
        trace = effect["attributes"].get("trace.id", "")
        of_trace = bool(trace) and cause["attributes"].get("trace.id", "") == trace
        meant = of_trace and cause["protocol"] == "mcp" and effect["protocol"] != "mcp"
    began = _moment(effect["started_at"])
    under_way = _moment(cause["started_at"]) - SKEW <= began <= _open_until(cause) + SKEW
    return meant and under_way and cause["exchange_id"] != effect["exchange_id"]


def _branch(exchange: Exchange, depth: int, cause: Exchange | None) -> Branch:
    same = None
    link = ""
    if cause is not None:
        same = _caller(cause) == _caller(exchange)
        link = "user_agent" if exchange["parent_exchange_id"] else "trace"
    above = cause["exchange_id"] if cause else ""
    placed = {**exchange, "depth": depth, "link": link, "same_principal": same, "parent_exchange_id": above}
    return cast("Branch", placed)


def _in_order(branches: Sequence[Branch], first: str) -> list[Branch]:
    """Each before what it caused, by time."""
    below: dict[str, list[Branch]] = {}
    for branch in branches:
        below.setdefault(branch["parent_exchange_id"], []).append(branch)
    ordered: list[Branch] = []
    waiting = [branch for branch in branches if branch["exchange_id"] == first]
    while waiting:
        branch = waiting.pop()
        ordered.append(branch)
        waiting += reversed(below.get(branch["exchange_id"], []))
    return ordered


def _caller(exchange: Exchange) -> tuple[str, str]:
    return exchange["principal_issuer"], exchange["principal"]


def _open_until(exchange: Exchange) -> datetime:
    """When it ended; one that has not may cause something still."""
    return datetime.now(UTC) if exchange["outcome"] == "pending" else _moment(exchange["ended_at"])


def _moment(iso_time: str) -> datetime:
    return datetime.fromisoformat(iso_time)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
