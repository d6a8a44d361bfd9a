"""One export: page by page out of the trail, into parts or to a sender, and the progress after each page.

A part is named after the first row in it, and pages of a window in the past are the same whenever they are asked for.
So an export that is stopped at any moment and started again gives each row once to a folder or a bucket; a sender may
get the last page twice, and knows its rows by their ids.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sinks.exports.cef import cef
from sinks.exports.events import Event, Kind, Place
from sinks.exports.jsonl import json_line
from sinks.exports.ocsf import ocsf
from sinks.exports.parquet import parquet
from sinks.exports.places import Shelf
from sinks.exports.progress import Progress
from sinks.exports.senders import Sender
from sinks.exports.source import Trail

_ENDINGS = {"ocsf": "jsonl", "cef": "cef", "jsonl": "jsonl", "parquet": "parquet"}


@dataclass(slots=True)
class Export:
    """What is wanted: which kinds of which trail. `told` hears how many have arrived, after each page."""

    trail: Trail
    kinds: Sequence[Kind]
    progress: Progress
    told: Callable[[Kind, int], None] = lambda _kind, _count: None

    async def to_shelf(self, shelf: Shelf, form: str, public_url: str = "") -> None:
        """As parts: KIND/day=YYYY-MM-DD/FIRST-ID.FORMAT. Raises PlaceError, and what the reader raises."""
        for kind in self.kinds:
            structure = await self.trail.structure(kind) if form == "parquet" else []
            while events := await self._next(kind):
                for day, rows in groupby(events, key=lambda event: event.day):
                    part = list(rows)
                    content = await asyncio.to_thread(_content, part, form, structure, public_url)
                    await shelf.put(f"{kind}/day={day}/{part[0].id}.{_ENDINGS[form]}", content)
                self._arrived(kind, events)

    async def to_sender(self, sender: Sender) -> None:
        """One after the other. Raises PlaceError, and what the reader raises."""
        for kind in self.kinds:
            while events := await self._next(kind):
                await sender.send(events)
                self._arrived(kind, events)

    async def to_lines(self, write: Callable[[str], object], form: str, public_url: str = "") -> None:
        """As lines of text."""
        for kind in self.kinds:
            while events := await self._next(kind):
                for event in events:
                    write(line(event, form, public_url))
                self._arrived(kind, events)

    async def _next(self, kind: Kind) -> list[Event]:
        return await self.trail.page(kind, self.progress.places.get(kind, Place()))

    def _arrived(self, kind: Kind, events: Sequence[Event]) -> None:
        self.progress.arrived(kind, events[-1].place, len(events))
        self.told(kind, self.progress.counts[kind])


def line(event: Event, form: str, public_url: str = "") -> str:
    """One event as a line with its end, as `ocsf`, `cef` or `jsonl`."""
    if form == "cef":
        return cef(event) + "\n"
    return json_line(ocsf(event, public_url) if form == "ocsf" else event.row)


def _content(
    events: Sequence[Event], form: str, structure: Sequence[tuple[str, str]], public_url: str
) -> bytes:
    if form == "parquet":
        return parquet([event.row for event in events], structure)
    return "".join(line(event, form, public_url) for event in events).encode()
