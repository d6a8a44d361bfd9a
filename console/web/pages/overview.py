"""The overview: what happened in a time that the URL names, as charts and rankings, and what waits for people."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.failures import Refusal
from console.web.pages.inbox_seen import sight_of
from console.web.pages.overview_charts import Chart, Numbers, lines, ranking, stacked
from console.web.pages.overview_range import SPANS, Range, RangeError, range_of
from console.web.site import Site
from console.web.viewer import Role, Viewer
from sinks.readers import FindingFilter, Overview

FINDINGS_SHOWN, WAITING_SHOWN = 10, 10
LOOKS = (Role.VIEWER, Role.AUDITOR, Role.ADMIN)


def routes(site: Site) -> list[BaseRoute]:
    """One page."""
    return [Route("/overview", OverviewPage(site).show, methods=["GET"])]


class OverviewPage:
    """One page."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /overview: within the viewer's connections."""
        site = self._site
        viewer = await site.viewer(request, *LOOKS)
        try:
            span = range_of(request.query_params, datetime.now(UTC))
        except RangeError as error:
            raise Refusal(400, "This time cannot be meant", str(error), "Choose one above.") from None
        found = await site.reader.overview(span.since, span.until, viewer.connections)
        wanted = FindingFilter(state="open", connections=viewer.connections)
        return site.page(
            request,
            viewer,
            "overview/overview.html",
            span=span,
            spans=SPANS,
            totals=found["totals"],
            charts=charts_of(found),
            rankings=rankings_of(found, span),
            findings=await site.reader.findings(wanted, FINDINGS_SHOWN),
            waiting=self._waiting(viewer),
        )

    def _waiting(self, viewer: Viewer) -> tuple[int, int]:
        """How many approvals wait for the viewer, and how many are open that the viewer may see."""
        sight = sight_of(self._site, viewer)
        seen = [each for each in self._site.desk.standings() if sight.sees(each)]
        return sum(map(sight.waits, seen)), sum(each.state in ("pending", "unread") for each in seen)


def charts_of(found: Overview) -> list[Chart]:
    """Calls and latency over time."""
    series = found["series"]
    at = [bucket["at"] for bucket in series]
    verdicts = {
        "allowed": [bucket["allowed"] for bucket in series],
        "held": [bucket["held"] for bucket in series],
        "denied": [bucket["denied"] for bucket in series],
    }
    latencies = {
        "p50": [bucket["p50_ms"] for bucket in series],
        "p95": [bucket["p95_ms"] for bucket in series],
        "p99": [bucket["p99_ms"] for bucket in series],
    }
    errors = {"errors": [bucket["errors"] for bucket in series]}
    return [
        stacked(Numbers("calls", "Calls by verdict", "calls", at, verdicts)),
        lines(Numbers("latency", "Latency in milliseconds", "ms", at, latencies)),
        stacked(Numbers("errors", "Calls that failed", "calls", at, errors)),
    ]


def rankings_of(found: Overview, span: Range) -> list[dict[str, object]]:
    """Who and what was there most, each with where its sessions are listed."""
    times = {"since": span.since, "until": span.until}
    named = (
        ("People and agents", "calls", "principal", [(r["name"], r["calls"]) for r in found["principals"]]),
        ("Tools", "calls", "tool", [(r["name"], r["calls"]) for r in found["tools"]]),
        ("Denied and held tools", "calls", "tool", [(r["name"], r["denied"]) for r in found["denied_tools"]]),
        ("Redactions by rule", "secrets", "", [(r["rule"], r["redactions"]) for r in found["redactions"]]),
    )
    return [
        {"title": title, "unit": unit, "filter": name, "times": times, "rows": ranking(rows)}
        for title, unit, name, rows in named
    ]
