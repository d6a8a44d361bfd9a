"""The list of sessions: which there are is found first, the exact rows of a page are put together then."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from sinks.conditions import Query
from sinks.filters import SessionFilter
from sinks.session_queries import COUNTED_MAX, SessionQueries
from sinks.shapes import Session, SessionBucket, SessionCounts
from sinks.spans import span

_SPARE = 50  # ids to look at beyond the limit: sessions that turn out to hold no exchange of their own

Rows = Callable[[Query], Awaitable[list[dict[str, Any]]]]


class SessionLists:
    """Lists and counts sessions. `rows` asks the store and gives plain JSON values."""

    def __init__(self, queries: SessionQueries, rows: Rows) -> None:
        self._queries = queries
        self._rows = rows

    async def page(self, wanted: SessionFilter, limit: int) -> list[Session]:
        """See `Reader.sessions`."""
        page: list[Session] = []
        while True:
            asked = limit + _SPARE
            found = await self._rows(self._queries.page(wanted, asked))
            page += await self._exact(wanted, [row["session_id"] for row in found])
            if len(page) >= limit or len(found) < asked:
                return _cut(page, limit)
            wanted = replace(wanted, before=found[-1]["last_at"])

    async def _exact(self, wanted: SessionFilter, ids: Sequence[str]) -> list[Session]:
        if not ids:
            return []
        return cast("list[Session]", await self._rows(self._queries.rows(list(ids), wanted.connections)))

    async def counts(self, wanted: SessionFilter, buckets: int) -> SessionCounts:
        """See `Reader.session_counts`."""
        asked = span(wanted.since, wanted.until, buckets)
        bounded = replace(wanted, since=asked.since_text, until=asked.until_text, before="")
        (counted,) = await self._rows(self._queries.total(bounded))
        found = await self._rows(self._queries.histogram(bounded, asked.seconds))
        by_number = {row.pop("bucket"): row for row in found}
        empty = {"sessions": 0, "exchanges": 0, "denied": 0, "errors": 0}
        series = [{"at": at, **by_number.get(n, empty)} for n, at in enumerate(asked.starts())]
        return SessionCounts(
            total=min(counted["total"], COUNTED_MAX),
            more=counted["total"] > COUNTED_MAX,
            since=asked.since_text,
            until=asked.until_text,
            bucket_seconds=asked.seconds,
            buckets=cast("list[SessionBucket]", series),
        )


def _cut(page: list[Session], limit: int) -> list[Session]:
    """The first `limit` of them, and those of the last one's very moment."""
    if len(page) <= limit:
        return page
    return [row for at, row in enumerate(page) if at < limit or row["last_at"] == page[limit - 1]["last_at"]]
