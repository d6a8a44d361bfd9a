"""Delegations: given, listed, taken back."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.api.callers import Callers
from console.api.problems import Problem
from console.api.reading import body_of, check_names, id_of
from console.api.shapes import delegation, time_of
from console.desk import Desk
from console.directory import Person

NAME_MAX = 1_024
REASON_MAX = 2_000


class To(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody; the issuer is '' at a terminal."""

    issuer: Annotated[str, msgspec.Meta(max_length=NAME_MAX)]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]


class NewDelegation(msgspec.Struct, forbid_unknown_fields=True):
    """`to` may decide instead of the caller, until then."""

    to: To
    until: Annotated[str, msgspec.Meta(max_length=64)]
    reason: Annotated[str, msgspec.Meta(max_length=REASON_MAX)] = ""


class DelegationsApi:
    """Three operations."""

    def __init__(self, desk: Desk, callers: Callers) -> None:
        self._desk, self._callers = desk, callers

    async def list(self, request: Request) -> Response:
        """GET /api/delegations: those of the caller; an auditor sees all."""
        caller = await self._callers.caller(request)
        check_names(request, ())
        own = caller.person.name
        found = [
            delegation(given)
            for given in self._desk.delegations()
            if caller.auditor or own in (given.giver, given.taker)
        ]
        return JSONResponse({"delegations": found})

    async def give(self, request: Request) -> Response:
        """POST /api/delegations."""
        caller = await self._callers.caller(request)
        wish = await body_of(request, NewDelegation)
        if "|" in wish.to.issuer:
            raise Problem(422, "invalid", "an issuer is a URL, which has no | in it")
        try:
            until = time_of(wish.until)
        except (ValueError, OverflowError):
            raise Problem(422, "invalid", "until is a time such as 2026-07-28T12:00:00Z") from None
        to = self._desk.people.known(Person(wish.to.issuer, wish.to.subject))
        given = await self._desk.delegate(caller.person, to, until, wish.reason)
        place = f"/api/delegations/{given.delegation_id}"
        return JSONResponse(delegation(given), 201, {"Location": place})

    async def take_back(self, request: Request) -> Response:
        """DELETE /api/delegations/{id}: by who gave it or who holds it."""
        caller = await self._callers.caller(request)
        check_names(request, ("reason",))
        reason = request.query_params.get("reason", "")
        if len(reason) > REASON_MAX:
            raise Problem(422, "invalid", f"reason has at most {REASON_MAX} characters")
        await self._desk.take_back(id_of(request, "delegation"), caller.person, reason)
        return Response(status_code=204)
