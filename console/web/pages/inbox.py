"""The inbox of approvals: `/approvals`, live by `/approvals/events`, and the pages of one approval beneath."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.failures import Refusal
from console.web.pages.inbox_decisions import Decisions
from console.web.pages.inbox_delegations import DelegationPages
from console.web.pages.inbox_events import InboxEvents
from console.web.pages.inbox_rows import SECTIONS, STATES_SHOWN, WantedError, sections, wanted_of
from console.web.pages.inbox_seen import check_ready, sight_of
from console.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """All pages of approvals."""
    inbox, events = Inbox(site), InboxEvents(site)
    decisions, delegations = Decisions(site), DelegationPages(site)
    return [
        Route("/approvals", inbox.index, methods=["GET"]),
        Route("/approvals/events", events.follow, methods=["GET"]),
        Route("/approvals/delegations", delegations.index, methods=["GET"]),
        Route("/approvals/delegations", delegations.give, methods=["POST"]),
        Route("/approvals/delegations/{id}/end", delegations.take_back, methods=["POST"]),
        Route("/approvals/{id}", decisions.show, methods=["GET"]),
        Route("/approvals/{id}/decision", decisions.confirm, methods=["GET"]),
        Route("/approvals/{id}/decision", decisions.decide, methods=["POST"]),
    ]


class Inbox:
    """One page."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def index(self, request: Request) -> Response:
        """GET /approvals: what waits for the viewer first."""
        site = self._site
        viewer = await site.viewer(request)
        check_ready(site)
        try:
            wanted = wanted_of(dict(request.query_params))
        except WantedError as error:
            raise Refusal(400, "This filter cannot be meant", str(error), "Open the inbox anew.") from None
        sight = sight_of(site, viewer)
        found = sections(site.desk.standings(), sight, wanted)
        return site.page(
            request,
            viewer,
            "inbox/list.html",
            sections=found,
            wanted=wanted,
            names=SECTIONS,
            states=STATES_SHOWN,
            fault=site.desk.fault,
            held=sight.held,
        )
