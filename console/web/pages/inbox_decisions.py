"""One approval: the exact call, what led to it, who may decide, and the decision itself.

A decision goes to the desk as one over the API does; this only shows what came of it.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.api.approvals import take
from console.api.problems import Problem
from console.api.shapes import whole
from console.desk import DeskError, Verb
from console.standing import Standing
from console.web.failures import Refusal
from console.web.pages.inbox_context import CALL_ROWS, before, like
from console.web.pages.inbox_json import pretty
from console.web.pages.inbox_may import seats
from console.web.pages.inbox_rows import progress
from console.web.pages.inbox_seen import (
    NOTHING,
    Told,
    check_role,
    may_of,
    seen,
    sight_of,
    told_of,
    word_of,
)
from console.web.site import Site
from console.web.viewer import Role, Viewer
from sinks.clickhouse import StoreAwayError
from sinks.readers import ReadError

PAGE_CALLS, PAGES_MAX = 1_000, 20
WORDS: dict[Verb, str] = {
    "approve": "Approve",
    "deny": "Deny",
    "revoke": "Take back",
    "review": "Say that you looked at it",
}


class Decisions:
    """Three operations."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, request: Request) -> Response:
        """GET /approvals/{id}."""
        viewer = await self._site.viewer(request)
        standing = await seen(self._site, request, viewer)
        await self._site.looked(viewer, "approval.view", standing.approval_id)
        return await self._shown(request, viewer, standing)

    async def confirm(self, request: Request) -> Response:
        """GET /approvals/{id}/decision?verb=approve: the same question as in the dialog, where no script runs."""
        viewer = await self._site.viewer(request)
        standing = await seen(self._site, request, viewer)
        allowed, verb = may_of(self._site, viewer, standing), request.query_params.get("verb", "")
        if verb not in allowed.verbs:
            raise Refusal(409, "This cannot be decided here", allowed.why, "Go back to the approval.")
        await self._site.looked(viewer, "approval.view", standing.approval_id)
        return self._site.page(
            request, viewer, "inbox/confirm.html", **self._basics(viewer, standing), verb=verb, words=WORDS
        )

    async def decide(self, request: Request) -> Response:
        """POST /approvals/{id}/decision: answered by the processor."""
        site = self._site
        viewer = await site.viewer(request)
        form = await site.posted(request, viewer)
        standing = await seen(site, request, viewer)
        word = word_of(form)
        check_role(viewer, standing, word, sight_of(site, viewer))
        try:
            await take(site.desk, viewer.caller, standing, word)
        except DeskError as error:
            told = told_of(error, form)
        except Problem as problem:
            told = Told(problem.status, problem.detail, form)
        else:
            return site.elsewhere(f"/approvals/{standing.approval_id}")
        return await self._shown(request, viewer, await seen(site, request, viewer), told)

    async def _shown(
        self, request: Request, viewer: Viewer, standing: Standing, told: Told = NOTHING
    ) -> Response:
        site = self._site
        calls, fault = await self._before(viewer, standing)
        return site.page(
            request,
            viewer,
            "inbox/approval.html",
            told.status,
            **self._basics(viewer, standing),
            words=WORDS,
            told=told,
            calls=calls,
            calls_fault=fault,
            like=like(standing, site.desk.standings(), sight_of(site, viewer)),
        )

    def _basics(self, viewer: Viewer, standing: Standing) -> dict[str, Any]:
        shown = whole(standing, sight_of(self._site, viewer))
        return {
            "approval": shown,
            "arguments": pretty(shown["arguments"]),
            "may": may_of(self._site, viewer, standing),
            "seats": seats(standing),
            "progress": progress(standing),
            "review_due": standing.review_due,
            "mine": [turn for turn in shown["history"] if turn["who"] == viewer.caller.person.name],
        }

    async def _before(self, viewer: Viewer, standing: Standing) -> tuple[list[Any], str]:
        """What the session did before, without bodies, and why that is not known. Whoever is to decide may see it,
        others within their connections."""
        request = standing.request
        reviews = bool(may_of(self._site, viewer, standing).verbs) and viewer.may(Role.APPROVER)
        if not request["session_id"]:
            return [], "It was asked outside of any session."
        if not reviews and not (viewer.may(Role.VIEWER) and viewer.sees(request["connection"])):
            return [], "This session is of a connection that you may not see."
        try:
            return await self._until(request["session_id"], request["exchange_id"]), ""
        except (StoreAwayError, ReadError) as error:
            return [], f"The trail cannot be read right now: {error}"

    async def _until(self, session_id: str, exchange_id: str) -> list[Any]:
        """The calls before that exchange, of a session however long."""
        found: list[Any] = []
        for _ in range(PAGES_MAX):
            after = str(found[-1]["exchange_id"]) if found else ""
            page = await self._site.reader.session_exchanges(session_id, PAGE_CALLS, after)
            found = [*found[-CALL_ROWS:], *page]
            if len(page) < PAGE_CALLS or any(each["exchange_id"] == exchange_id for each in page):
                break
        return before(found, exchange_id)
