"""What an export asks the trail for: pages of one kind, in the order of time and id, from where it stands.

An exchange belongs to the moment it ended at, so a window that lies in the past gives the same rows whenever it is
asked for; exchanges that have not ended are in none. Every text that enters a statement is parsed or quoted here.
"""

from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

from sinks.exports.events import Event, Kind, Place
from sinks.literals import text_literal
from sinks.readers import Reader
from sinks.spans import moment

PAGE_ROWS = 1_000
PAGE_BYTES = 16 * 1024 * 1024
"""Of bodies: a quarter of what one answer of the store may come to, since texts grow when they are written."""

_IDS = {"exchanges": "exchange_id", "findings": "finding_id", "admin": "admin_id", "frames": "frame_id"}
_TIMES = {"exchanges": "ended_at", "findings": "last_seen_at", "admin": "at", "frames": "recorded_at"}
_COLUMNS = {
    "frames": "* EXCEPT (head, digest, body), hex(digest) AS digest, if(isValidUTF8(body), body, base64Encode(body))"
    " AS body, NOT isValidUTF8(body) AS body_base64"
}


@dataclass(frozen=True, slots=True)
class Window:
    """What was asked for: from `since` to before `until`, ISO times; over `connections`, all for ()."""

    since: str
    until: str
    connections: tuple[str, ...] = ()


class Trail:
    """Reads `window` of the trail."""

    def __init__(self, reader: Reader, window: Window, rows: int = PAGE_ROWS) -> None:
        self._reader, self._window, self._rows = reader, window, rows

    async def page(self, kind: Kind, after: Place) -> list[Event]:
        """The next rows of `kind`, none when there are no more. Raises what the reader raises."""
        count = await self._fitting(after) if kind == "frames" else self._rows
        if count == 0:
            return []
        table = await self._reader.query(self._statement(kind, _columns(kind), after, count))
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        return [Event(kind, row[_TIMES[kind]], str(row[_IDS[kind]]), row) for row in rows]

    async def structure(self, kind: Kind) -> list[tuple[str, str]]:
        """Name and type of each column of `kind`."""
        table = await self._reader.query(f"DESCRIBE TABLE (SELECT {_columns(kind)} FROM v_{kind} LIMIT 0)")
        return [(row[0], row[1]) for row in table.rows]

    async def _fitting(self, after: Place) -> int:
        """How many of the next frames come to no more than a page's bytes; at least the first one."""
        table = await self._reader.query(self._statement("frames", "body_bytes", after, self._rows))
        sums = accumulate(int(row[0]) for row in table.rows)
        return max(sum(size <= PAGE_BYTES for size in sums), min(1, len(table.rows)))

    def _statement(self, kind: Kind, columns: str, after: Place, count: int) -> str:
        time, own = _TIMES[kind], _IDS[kind]
        since = max(after.at or self._window.since, self._window.since, key=moment)
        conditions = [f"{time} >= {time_literal(since)}", f"{time} < {time_literal(self._window.until)}"]
        if after.id:
            conditions.append(f"({time}, {own}) > ({time_literal(after.at)}, toUUID('{UUID(after.id)}'))")
        if self._window.connections:
            conditions.append(f"connection IN ({', '.join(map(text_literal, self._window.connections))})")
        if kind == "exchanges":  # which of them, before any is put together
            conditions += ["outcome != 'pending'", f"exchange_id IN ({self._ended(since)})"]
        return (
            f"SELECT {columns} FROM v_{kind} WHERE {' AND '.join(conditions)}"
            f" ORDER BY {time}, {own} LIMIT {count}"
        )

    def _ended(self, since: str) -> str:
        return (
            f"SELECT exchange_id FROM v_frames WHERE recorded_at >= {time_literal(since)}"
            f" AND recorded_at < {time_literal(self._window.until)} AND outcome != 'pending'"
        )


def _columns(kind: Kind) -> str:
    return _COLUMNS.get(kind, "*")


def time_literal(iso: str) -> str:
    """A literal of the store's; raises ReadError for what is no time."""
    return f"toDateTime64('{moment(iso).strftime('%Y-%m-%d %H:%M:%S.%f')}', 6, 'UTC')"
