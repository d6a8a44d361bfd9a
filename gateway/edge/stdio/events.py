"""Server-sent events of one session, and the last of them kept for a client that comes back.

Source: Model Context Protocol 2025-11-25, "Transports", "Resumability and redelivery": an event id tells the
stream it belongs to, and only events of that stream are sent again.
"""

import re
from collections import deque
from typing import NamedTuple

from gateway.edge.stdio.lines import event_safe

KEPT_EVENTS_MAX = 256
KEPT_BYTES_MAX = 256 * 1024
_EVENT_ID = re.compile(r"(\d{1,12})\.(\d{1,12})")


class Place(NamedTuple):
    """Where an event stands: its stream, and its number in the session."""

    stream: int
    number: int


def place(event_id: str) -> Place | None:
    """The place that an id of ours names, None when it is not one of ours."""
    found = _EVENT_ID.fullmatch(event_id)
    return Place(int(found[1]), int(found[2])) if found else None


def plain_event(line: bytes) -> bytes:
    """A message as an event without an id."""
    return b"event: message\ndata: %b\n\n" % event_safe(line)


class KeptEvents:
    """Numbers events and keeps the last ones, bounded by count and bytes; the newest is kept in any case."""

    def __init__(self, events_max: int = KEPT_EVENTS_MAX, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._kept: deque[tuple[Place, bytes]] = deque()
        self._bytes = 0
        self._number = 0
        self.forgotten = 0

    def add(self, stream: int, line: bytes) -> bytes:
        """A message of `stream` as the next event."""
        self._number += 1
        block = b"id: %d.%d\nevent: message\ndata: %b\n\n" % (stream, self._number, event_safe(line))
        self._kept.append((Place(stream, self._number), block))
        self._bytes += len(block)
        while len(self._kept) > 1 and (len(self._kept) > self._events_max or self._bytes > self._bytes_max):
            self._bytes -= len(self._kept.popleft()[1])
            self.forgotten += 1
        return block

    @property
    def newest(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._number

    def after(self, place: Place) -> list[bytes]:
        """The kept events of the same stream that came later, in order."""
        return [block for at, block in self._kept if at.stream == place.stream and at.number > place.number]
