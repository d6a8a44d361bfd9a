"""The feed of changes, as server-sent events (WHATWG HTML, 9.2).

Each event is an approval as it stands. An id is a position in the topics, good at any console and after restarts;
only the last event of what belongs together has one, and heartbeats have: whoever comes back with it misses nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from console.api.callers import Caller, Callers, seconds_left
from console.api.problems import Problem, invalid
from console.api.reading import check_names
from console.api.shapes import summary
from console.desk import Desk
from console.feed import Positions, position_text, positions_of
from console.metrics import ConsoleMetrics
from console.settings import ApiLimits

RETRY_MS = 2_000
PART = 100  # events
HEARTBEAT = ": \n"
SEND_SECONDS = 30.0  # who takes nothing for so long has gone


class Events:
    """One operation. `feeds_max` and `feeds_by_person_max` bound what is open."""

    def __init__(self, desk: Desk, callers: Callers, limits: ApiLimits, metrics: ConsoleMetrics) -> None:
        self._desk, self._callers, self._limits, self._metrics = desk, callers, limits, metrics
        self._open: dict[str, int] = {}

    async def follow(self, request: Request) -> Response:
        """GET /api/approvals/events: what the caller may see, from now on or from `Last-Event-ID` on."""
        caller = await self._callers.caller(request)
        check_names(request, ())
        since = _since(request)
        if not self._desk.ready:
            raise Problem(503, "unavailable", "approvals have not been read yet", {"Retry-After": "5"})
        name = caller.person.name
        mine, all_of_them = self._open.get(name, 0), sum(self._open.values())
        if mine >= self._limits.feeds_by_person_max or all_of_them >= self._limits.feeds_max:
            raise Problem(429, "too_many_feeds", "close one of your other feeds first", {"Retry-After": "5"})
        return PatientStream(self._events(caller, since), media_type="text/event-stream")

    async def _events(self, caller: Caller, since: Positions | None) -> AsyncIterator[bytes]:
        name = caller.person.name
        self._open[name] = self._open.get(name, 0) + 1
        self._metrics.feeds.inc()
        feed = self._desk.feed(since)
        try:
            start = "" if since is not None else f"id: {position_text(self._desk.positions)}\n"
            yield f"retry: {RETRY_MS}\n{start}\n".encode()
            while not feed.closed:
                left = seconds_left(caller)
                if (left is not None and left <= 0) or self._callers.barred(caller):
                    return
                heartbeat = self._limits.heartbeat_seconds
                await feed.news(heartbeat if left is None else min(heartbeat, left))
                position, taken = position_text(self._desk.positions), feed.take()
                last = HEARTBEAT
                for part in self._parts(taken, caller):
                    if last != HEARTBEAT:
                        yield f"{last}\n".encode()
                    last = part
                yield f"{last}id: {position}\n\n".encode()
        finally:
            self._desk.leave(feed)
            self._metrics.feeds.dec()
            self._left(name)

    def _parts(self, taken: list[str], caller: Caller) -> Iterator[str]:
        """What the caller may see of it, some events at a time, for others want to be served too; the last of each
        part lacks the line that ends it."""
        sight = caller.sight(self._desk)
        for start in range(0, len(taken), PART):
            standings = filter(None, map(self._desk.standing, taken[start : start + PART]))
            events = [
                f"event: approval\ndata: {json.dumps(summary(standing, sight))}\n"
                for standing in standings
                if sight.sees(standing)
            ]
            if events:
                yield "\n".join(events)

    def _left(self, name: str) -> None:
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]


class PatientStream(StreamingResponse):
    """A stream whose reader may not stand still for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: object) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)  # type: ignore[arg-type]

        try:
            await super().__call__(scope, receive, patient)
        except TimeoutError:
            return


def _since(request: Request) -> Positions | None:
    text = request.headers.get("last-event-id")
    if not text:
        return None
    positions = positions_of(text)
    if positions is None:
        raise invalid("Last-Event-ID is no id of an event of this feed")
    return positions
