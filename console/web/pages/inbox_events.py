"""The feed of changes for pages: server-sent events by the cookie of a login (the API's feed takes bearer tokens).

An event says which approval is another now, and what a page tells of it; the page then asks for itself anew, so that
what it shows always comes from where filters, sight and escaping are. A stream ends with its login.
"""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response

from console.api.events import HEARTBEAT, RETRY_MS, PatientStream
from console.feed import Feed, Positions, position_text, positions_of
from console.integrations.showing import bounded
from console.standing import Standing, called
from console.web.failures import Refusal
from console.web.headers import page_headers
from console.web.pages.inbox_seen import check_ready, sight_of
from console.web.site import Site
from console.web.viewer import Viewer

LOOK_SECONDS = 1.0  # how soon a stream ends after its login


class InboxEvents:
    """One operation. `feeds_max` and `feeds_by_person_max` of the API bound what is open."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._open: dict[str, int] = {}

    async def follow(self, request: Request) -> Response:
        """GET /approvals/events: from now on, or from `Last-Event-ID` on."""
        site = self._site
        viewer = await site.viewer(request)
        check_ready(site)
        text = request.headers.get("last-event-id", "")
        since = positions_of(text) if text else None
        name, limits = viewer.caller.person.name, site.settings.api
        mine, all_of_them = self._open.get(name, 0), sum(self._open.values())
        if mine >= limits.feeds_by_person_max or all_of_them >= limits.feeds_max:
            text = "You follow approvals in too many windows."
            raise Refusal(429, "Too many open pages", text, "Close some.", {"Retry-After": "5"})
        return PatientStream(
            self._events(viewer, since), headers=page_headers(tls=site.tls), media_type="text/event-stream"
        )

    async def _events(self, viewer: Viewer, since: Positions | None) -> AsyncIterator[bytes]:
        site, name = self._site, viewer.caller.person.name
        self._open[name] = self._open.get(name, 0) + 1
        site.metrics.feeds.inc()
        feed = site.desk.feed(since)
        try:
            yield f"retry: {RETRY_MS}\nid: {position_text(since or site.desk.positions)}\n\n".encode()
            async for text in self._told(viewer, feed):
                yield text.encode()
        finally:
            site.desk.leave(feed)
            site.metrics.feeds.dec()
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    async def _told(self, viewer: Viewer, feed: Feed) -> AsyncIterator[str]:
        """Events, and a heartbeat where there are none for long; ends when the login or the console does."""
        quiet, site = 0.0, self._site
        while not feed.closed:
            news = await feed.news(LOOK_SECONDS)
            if not site.still(viewer):
                return
            quiet += LOOK_SECONDS
            position, taken = position_text(site.desk.positions), feed.take() if news else []
            sight = sight_of(site, viewer)
            standings = filter(None, map(site.desk.standing, taken))
            told = [_event(each, sight.waits(each)) for each in standings if sight.sees(each)]
            if told or quiet >= site.settings.api.heartbeat_seconds:
                yield "\n".join([*told, f"{HEARTBEAT}id: {position}\n\n"])
                quiet = 0.0


def _event(standing: Standing, waits: bool) -> str:
    said = {
        "id": standing.approval_id,
        "state": standing.state,
        "waits": waits,
        "call": bounded(called(standing.request)),
        "connection": bounded(standing.request["connection"]),
    }
    return f"event: approval\ndata: {json.dumps(said)}\n"
