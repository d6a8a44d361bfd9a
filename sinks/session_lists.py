"""The list of sessions: which there are is found first, the exact rows of a page are put together then."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sinks.conditions import Query
from sinks.exchanges import Exchanges
from sinks.filters import SessionFilter
from sinks.rows import iso
from sinks.session_queries import COUNTED_MAX, SessionQueries, is_plain
from sinks.shapes import Session, SessionBucket, SessionCounts
from sinks.spans import moment, span

_SPARE = 5  # ids to look at beyond the limit, for sessions of which nothing is stored any more
_LOOK_BACK = (timedelta(days=1), timedelta(days=8), timedelta(days=40))

_BEGINNING = "1970-01-01T00:00:00Z"

Rows = Callable[[Query], Awaitable[list[dict[str, Any]]]]


class SessionLists:
    """Lists and counts sessions. `rows` asks the store and gives plain JSON values."""

    def __init__(self, queries: SessionQueries, exchanges: Exchanges, rows: Rows) -> None:
        self._queries = queries
        self._exchanges = exchanges
        self._rows = rows

    async def page(self, wanted: SessionFilter, limit: int) -> list[Session]:
        """See `Reader.sessions`."""
        page: list[Session] = []
        while True:
            asked = limit - len(page) + _SPARE
            found = await self._candidates(wanted, asked)
            ids = [row["session_id"] for row in found]
            page += await self._exchanges.sessions(ids, wanted.connections)
            if len(page) >= limit or len(found) < asked:
                return _cut(page, limit)
            wanted = replace(wanted, before=found[-1]["last_at"])

    async def _candidates(self, wanted: SessionFilter, count: int) -> list[dict[str, Any]]:
        """The latest sessions that are found, looking further back as long as there are fewer than `count`."""
        found: list[dict[str, Any]] = []
        for floor in _floors(wanted):
            found = await self._rows(self._queries.page(wanted, floor, count))
            if len(found) >= count:
                break
        return found

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


def _floors(wanted: SessionFilter) -> list[str]:
    """From when on to look, one after the other. What asks for more than whose session it is is looked for once: to
    find it costs the same however late the sessions are."""
    bottom = wanted.since or _BEGINNING
    if not is_plain(wanted):
        return [bottom]
    latest = moment(wanted.before) if wanted.before else datetime.now(UTC)
    floors = [iso(latest - back) for back in _LOOK_BACK]
    return [*(floor for floor in floors if moment(floor) > moment(bottom)), bottom]


def _cut(page: list[Session], limit: int) -> list[Session]:
    """The first `limit` of them, and those of the last one's very moment."""
    if len(page) <= limit:
        return page
    return [row for at, row in enumerate(page) if at < limit or row["last_at"] == page[limit - 1]["last_at"]]
