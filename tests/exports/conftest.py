"""A stretch of the trail to hand out: its own connection in the store that the tests of this process share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from sinks.exports.events import Event, Kind, Place
from sinks.exports.source import Trail as Source
from sinks.exports.source import Window
from sinks.sql_reader import SqlReader
from tests.sinks.filling import fill
from tests.sinks.records import START_US, Trail
from tests.sinks.shared_store import embedded_store

EXCHANGES = 25
HOSTILE = "<script>|=\\\r\nCEF:0|\x1b[31m\u202e"


@dataclass(frozen=True)
class Stretch:
    """`ids` of its exchanges, in the order in which they ended; the last one has not."""

    reader: SqlReader
    window: Window
    ids: list[str]
    pending: str

    def source(self, rows: int = 10) -> Source:
        """Pages of so many rows."""
        return Source(self.reader, self.window, rows)

    async def events(self, kind: Kind = "exchanges", rows: int = 100) -> list[Event]:
        """All of a kind."""
        return await self.source(rows).page(kind, Place())


def iso(micros: int) -> str:
    """A time of the trail."""
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat()


@pytest.fixture
async def stretch() -> AsyncIterator[Stretch]:
    """25 exchanges that have ended, a day apart in the middle, and one that has not."""
    store, name = embedded_store(), f"export-{uuid4().hex[:12]}"
    trail = Trail(lane=f"gw/{uuid4()}/0/0")
    about = {"connection": name, "session_id": str(uuid4())}
    ids = []
    for number in range(EXCHANGES):
        if number == EXCHANGES // 2:
            trail.started_us += 86_400_000_000
        fields = {"tool": "pods_list", "method": "tools/call", "user_agent": HOSTILE, **about}
        ids.append(trail.exchange(b'{"n":%d}' % number, **fields))
    pending = str(uuid4())
    trail.frame(exchange_id=pending, **about)
    fill(store.client, trail.values)
    reader = SqlReader(store.address)
    window = Window(iso(START_US), iso(START_US + 3 * 86_400_000_000), (name,))
    yield Stretch(reader, window, ids, pending)
    await reader.close()
