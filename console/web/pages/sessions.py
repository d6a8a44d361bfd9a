"""`/sessions`: who talked over which connection, found by what was done and said; live while it is open."""

import time
from asyncio import gather
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from console.web.headers import page_headers
from console.web.pages.search import OUTCOMES, SPANS, TIMES, VERDICTS, Search, search_of
from console.web.pages.sessions_histogram import BUCKETS, histogram
from console.web.pages.sessions_saved import Saved
from console.web.site import Site
from console.web.viewer import Role, Viewer
from sinks.readers import Options, Scope, Session, SessionFilter

PAGE_ROWS = 50
NEWS_ROWS = 100
OPTIONS_SECONDS = 60.0
SCOPES_MAX = 200
PATHS_MAX = 3


def routes(site: Site) -> list[BaseRoute]:
    """The list, what is new in it, and saved searches."""
    saved = Saved(site)
    pages = Sessions(site, saved)
    return [
        Route("/sessions", pages.list, methods=["GET"]),
        Route("/sessions/news", pages.news, methods=["GET"]),
        Route("/sessions/saved", saved.change, methods=["POST"]),
    ]


class Sessions:
    """The list."""

    def __init__(self, site: Site, saved: Saved) -> None:
        self._site, self._saved = site, saved
        self._options: dict[Scope, tuple[float, Options]] = {}

    async def list(self, request: Request) -> Response:
        """GET /sessions."""
        site = self._site
        viewer = await site.viewer(request, Role.VIEWER)
        search = search_of(request.query_params.multi_items(), viewer.zone)
        if _untidy(request, search):
            return site.elsewhere(search.address(before=search.before))
        options, kept = await gather(self._known(viewer), self._saved.of(viewer))
        context: dict[str, Any] = {"search": search, "options": options, "kept": kept, **_CHOICES}
        if search.faults:
            nothing: dict[str, Any] = {
                "rows": [],
                "counts": None,
                "picture": None,
                "following": "",
                "live": False,
            }
            return site.page(request, viewer, "sessions/list.html", 400, **context, **nothing)
        await site.looked(viewer, "session.search", search.title, query=search.query(), before=search.before)
        wanted = search.wanted(datetime.now(UTC), viewer.connections)
        found = await self._found(wanted, search)
        context["paths"] = _paths(self._site, viewer)
        return site.page(request, viewer, "sessions/list.html", **context, **found)

    async def news(self, request: Request) -> Response:
        """GET /sessions/news?newer=TIME: ids of the sessions with something new, for a page that is open.

        Nothing of them is told but that they are there; the search itself is on the record since the page was shown.
        """
        viewer = await self._site.viewer(request, Role.VIEWER)
        search = search_of(request.query_params.multi_items(), viewer.zone)
        newer = search_of([("since", request.query_params.get("newer", ""))], "UTC").since
        ids: list[str] = []
        if newer and not search.faults:
            wanted = search.within(newer, "").wanted(datetime.now(UTC), viewer.connections)
            rows = await self._site.reader.sessions(wanted, NEWS_ROWS)
            shown = datetime.fromisoformat(newer)
            ids = [row["session_id"] for row in rows if datetime.fromisoformat(row["last_at"]) > shown]
        return JSONResponse({"sessions": ids}, headers=page_headers(tls=self._site.tls))

    async def _found(self, wanted: SessionFilter, search: Search) -> dict[str, Any]:
        reader = self._site.reader
        rows, counts = await gather(
            reader.sessions(wanted, PAGE_ROWS), reader.session_counts(wanted, BUCKETS)
        )
        following = search.address(before=rows[-1]["last_at"]) if len(rows) >= PAGE_ROWS else ""
        return {
            "rows": rows,
            "lasted": {row["session_id"]: _lasted(row) for row in rows},
            "counts": counts,
            "picture": histogram(counts, search),
            "following": following,
            "live": not search.before and not search.until,
        }

    async def _known(self, viewer: Viewer) -> Options:
        """What filters can be set to; asked for anew once a minute, for it looks at a month."""
        kept = self._options.get(viewer.connections)
        if kept is None or kept[0] < time.monotonic():
            if len(self._options) >= SCOPES_MAX:
                self._options.clear()
            found = await self._site.reader.options(viewer.connections)
            kept = self._options[viewer.connections] = (time.monotonic() + OPTIONS_SECONDS, found)
        return kept[1]


def _lasted(row: Session) -> str:
    """From its first exchange to its latest one, for people."""
    begun, ended = (datetime.fromisoformat(row[name]) for name in ("started_at", "last_at"))
    seconds = (ended - begun).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _paths(site: Site, viewer: Viewer) -> list[str]:
    """Where clients reach the connections that the viewer may see; a few are enough."""
    kinds = {"mcp": "mcp", "kubernetes": "k8s", "http": "http"}
    seen = [each for each in site.web.connections if viewer.sees(each.name)]
    return [f"/{kinds.get(each.kind, each.kind)}/{each.name}" for each in seen[:PATHS_MAX]]


_CHOICES = {
    "verdicts": VERDICTS,
    "outcomes": OUTCOMES,
    "spans": [(key, name) for key, (name, _) in SPANS.items()],
}


def _untidy(request: Request, search: Search) -> bool:
    """Whether the address holds empty fields, or times that mean something else to another reader."""
    if search.faults:
        return False
    given = request.query_params.multi_items()
    times = {name: value for name, value in given if name in TIMES}
    return any(not value.strip() for _, value in given) or any(
        value != getattr(search, name) for name, value in times.items()
    )
