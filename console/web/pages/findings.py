"""Findings: `/findings` with filters in the URL, `/findings/{id}` with its evidence, and what people say of them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.minding import Minder
from console.web.failures import Refusal
from console.web.pages.findings_acts import FindingActs
from console.web.pages.findings_silence import Silences
from console.web.pages.findings_view import STATES, FilterError, query_of, wanted_of
from console.web.site import Site
from console.web.viewer import Role
from schemas.findings import SEVERITIES

PAGE_ROWS = 50
LOOKS = (Role.VIEWER, Role.AUDITOR, Role.ADMIN)


def routes(site: Site) -> list[BaseRoute]:
    """All pages of findings."""
    minder = Minder(site.scribe)
    findings, acts, silences = Findings(site), FindingActs(site, minder), Silences(site, minder)
    return [
        Route("/findings", findings.index, methods=["GET"]),
        Route("/findings/rules", findings.rates, methods=["GET"]),
        Route("/findings/silences", silences.index, methods=["GET"]),
        Route("/findings/silences", silences.silence, methods=["POST"]),
        Route("/findings/silences/end", silences.unsilence, methods=["POST"]),
        Route("/findings/{id}", acts.show, methods=["GET"]),
        Route("/findings/{id}", acts.act, methods=["POST"]),
    ]


class Findings:
    """Two pages."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def index(self, request: Request) -> Response:
        """GET /findings: the latest raised first, page by page."""
        site = self._site
        viewer = await site.viewer(request, *LOOKS)
        try:
            wanted = wanted_of(dict(request.query_params), viewer.connections)
        except FilterError as error:
            raise Refusal(400, "This filter cannot be meant", str(error), "Open the list anew.") from None
        rows = await site.reader.findings(wanted, PAGE_ROWS)
        options = await site.reader.options(viewer.connections)
        return site.page(
            request,
            viewer,
            "findings/list.html",
            rows=rows,
            following=rows[-1]["raised_at"] if len(rows) >= PAGE_ROWS else "",
            wanted=query_of(wanted),
            states=STATES,
            severities=SEVERITIES,
            options=options,
        )

    async def rates(self, request: Request) -> Response:
        """GET /findings/rules: how often each rule was right."""
        viewer = await self._site.viewer(request, *LOOKS)
        rows = await self._site.reader.finding_rates(viewer.connections)
        return self._site.page(request, viewer, "findings/rules.html", rows=rows)
