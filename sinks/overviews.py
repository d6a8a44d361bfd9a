"""The overview of a span of time, put together out of several answers; and what filters can be set to."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from sinks.conditions import Query
from sinks.filters import Scope
from sinks.overview_queries import OverviewQueries
from sinks.shapes import Options, Overview, OverviewBucket, OverviewTotals, TopRow
from sinks.spans import span

BUCKETS = 48

Rows = Callable[[Query], Awaitable[list[dict[str, Any]]]]

_LATENCIES = ("p50_ms", "p95_ms", "p99_ms")
_NOTHING = {
    "calls": 0,
    "allowed": 0,
    "denied": 0,
    "held": 0,
    "errors": 0,
    **dict.fromkeys(_LATENCIES),
}


class Overviews:
    """Puts overviews together. `rows` asks the store and gives plain JSON values."""

    def __init__(self, queries: OverviewQueries, rows: Rows) -> None:
        self._queries = queries
        self._rows = rows

    async def overview(self, since: str, until: str, connections: Scope) -> Overview:
        """See `Reader.overview`."""
        asked = span(since, until, BUCKETS)
        start, end = asked.since_text, asked.until_text
        redactions = await self._rows(self._queries.redactions(start, end, connections))
        (totals,) = await self._rows(self._queries.totals(start, end, connections))
        series = await self._rows(self._queries.series(start, end, asked.seconds, connections))
        by_number = {row.pop("bucket"): _with_latencies(row) for row in series}
        buckets = [{"at": at, **by_number.get(n, _NOTHING)} for n, at in enumerate(asked.starts())]
        masked = sum(row["redactions"] for row in redactions)
        return Overview(
            since=start,
            until=end,
            bucket_seconds=asked.seconds,
            totals=cast("OverviewTotals", {**_with_latencies(totals), "redactions": masked}),
            series=cast("list[OverviewBucket]", buckets),
            redactions=cast("Any", redactions),
            principals=await self._top("principals", start, end, connections),
            tools=await self._top("tools", start, end, connections),
            denied_tools=await self._top("denied_tools", start, end, connections),
        )

    async def _top(self, what: str, since: str, until: str, connections: Scope) -> list[TopRow]:
        rows = await self._rows(self._queries.top(what, since, until, connections))
        return [cast("TopRow", {"connection": row.pop("of"), **row}) for row in rows]

    async def options(self, connections: Scope) -> Options:
        """See `Reader.options`."""
        (found,) = await self._rows(self._queries.options(connections))
        shown = {name.removeprefix("all_"): sorted(filter(None, values)) for name, values in found.items()}
        return cast("Options", shown)


def _with_latencies(row: dict[str, Any]) -> dict[str, Any]:
    """`row` with its three quantiles by name, None where nothing ended."""
    found = [value if isinstance(value, float) else None for value in row.pop("latencies")]
    return {**row, **dict(zip(_LATENCIES, found, strict=True))}
