"""Delegations: who decides instead of whom. Given, listed, taken back."""

import time

from starlette.requests import Request
from starlette.responses import Response

from console.api.delegations import NAME_MAX, REASON_MAX
from console.api.shapes import delegation, person
from console.desk import DeskError
from console.directory import Person
from console.web.pages.inbox_seen import NOTHING, Told, check_ready, told_of
from console.web.site import Site
from console.web.viewer import Role, Viewer

DAY_SECONDS = 86_400
DAYS = (1, 3, 7, 14, 30, 90)


class DelegationPages:
    """Three operations, as over the API."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def index(self, request: Request) -> Response:
        """GET /approvals/delegations: those of the viewer; an auditor sees all."""
        return self._shown(request, await self._site.viewer(request))

    async def give(self, request: Request) -> Response:
        """POST /approvals/delegations."""
        site = self._site
        viewer = await site.viewer(request, Role.APPROVER)
        form = await site.posted(request, viewer)
        try:
            to, days = self._to(form.get("to", "")), _days(form.get("days", ""))
            reason = _reason(form.get("reason", ""))
            until = time.time_ns() // 1_000 + days * DAY_SECONDS * 1_000_000 - 60_000_000
            await site.desk.delegate(viewer.caller.person, to, until, reason)
        except ValueError as error:
            return self._shown(request, viewer, Told(422, str(error), form))
        except DeskError as error:
            return self._shown(request, viewer, told_of(error, form))
        return site.elsewhere("/approvals/delegations")

    async def take_back(self, request: Request) -> Response:
        """POST /approvals/delegations/{id}/end: by who gave it or who holds it."""
        site = self._site
        viewer = await site.viewer(request)
        form = await site.posted(request, viewer)
        try:
            reason = _reason(form.get("reason", ""))
            await site.desk.take_back(request.path_params["id"], viewer.caller.person, reason)
        except ValueError as error:
            return self._shown(request, viewer, Told(422, str(error)))
        except DeskError as error:
            return self._shown(request, viewer, told_of(error))
        return site.elsewhere("/approvals/delegations")

    def _shown(
        self,
        request: Request,
        viewer: Viewer,
        told: Told = NOTHING,
    ) -> Response:
        check_ready(self._site)
        own = viewer.caller.person.name
        every = viewer.may(Role.AUDITOR, Role.ADMIN)
        rows = [
            {**delegation(given), "given": own == given.giver, "mine": own in (given.giver, given.taker)}
            for given in self._site.desk.delegations()
            if every or own in (given.giver, given.taker)
        ]
        return self._site.page(
            request,
            viewer,
            "inbox/delegations.html",
            told.status,
            rows=rows,
            people=[f"{each['issuer']}|{each['subject']}" for each in self._people(own)],
            days=DAYS,
            fault=told.text,
            form=told.form,
            gives=viewer.may(Role.APPROVER),
        )

    def _people(self, own: str) -> list[dict[str, str]]:
        return [person(each) for each in self._site.desk.people.people() if each.name != own]

    def _to(self, text: str) -> Person:
        issuer, bar, subject = text.strip().rpartition("|")
        if not bar or not subject or "|" in issuer or max(len(issuer), len(subject)) > NAME_MAX:
            raise ValueError("write whom you mean as ISSUER|SUBJECT, for instance https://id.example.com|eve")
        return self._site.desk.people.known(Person(issuer, subject))


def _days(text: str) -> int:
    if text not in map(str, DAYS):
        raise ValueError(f"choose for how long: {', '.join(map(str, DAYS))} days")
    return int(text)


def _reason(text: str) -> str:
    if len(text) > REASON_MAX:
        raise ValueError(f"a reason has at most {REASON_MAX} characters")
    return text
