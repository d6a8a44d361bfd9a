"""Retention: what holds, and the words of officers on it. Officers are members of configured groups; in mode none the
user of this terminal is one."""

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from console.api.callers import Caller, Callers
from console.api.problems import Problem
from console.api.reading import body_of, check_names, id_of
from console.api.shapes import Json, time_text
from console.keeping import REASON_CHARACTERS_MAX, Keeping
from gateway.edge.announce import stamp
from schemas.retention_book import Proposal
from schemas.retention_content import CONTENT_CHARACTERS_MAX

Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]


class NewProposal(msgspec.Struct, forbid_unknown_fields=True):
    """`content` is canonical JSON, as `schemas.retention_content` has it: it is what gets signed."""

    kind: Literal["rules", "hold", "release", "erasure"]
    content: Annotated[str, msgspec.Meta(max_length=CONTENT_CHARACTERS_MAX)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARACTERS_MAX)]


class Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    """`alone`: there is nobody else; counts where the settings allow that."""

    reason: Reason = ""
    alone: bool = False


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is taken back."""

    reason: Reason = ""


class RetentionApi:
    """Four operations."""

    def __init__(self, keeping: Keeping, callers: Callers, officer_groups: Iterable[str]) -> None:
        self._keeping, self._callers = keeping, callers
        self._officers = frozenset(officer_groups)

    def routes(self) -> list[BaseRoute]:
        """Where they are."""
        post = partial(Route, methods=["POST"])
        return [
            Route("/api/retention", self.show, methods=["GET"]),
            post("/api/retention/proposals", self.propose),
            post("/api/retention/proposals/{id}/confirmation", self.confirm),
            post("/api/retention/proposals/{id}/withdrawal", self.withdraw),
        ]

    async def show(self, request: Request) -> Response:
        """GET /api/retention: the rules in force and every proposal; for officers and auditors."""
        caller = await self._callers.caller(request)
        if not caller.auditor and not self._is_officer(caller):
            raise _not_an_officer()
        check_names(request, ())
        book = await self._keeping.book()
        now = book.in_force
        return JSONResponse(
            {
                "rules": now.rules.plain() if now else None,
                "version": now.rules.version if now else "",
                "since": time_text(now.since) if now else None,
                "cause": now.cause if now else "",
                "asked_by": list(now.asked_by) if now else [],
                "proposals": [_shown(each) for each in book.all(stamp().at)],
            }
        )

    async def propose(self, request: Request) -> Response:
        """POST /api/retention/proposals."""
        caller = await self._officer(request)
        wish = await body_of(request, NewProposal)
        made = await self._keeping.propose(caller.person, wish.kind, wish.content, wish.reason)
        return JSONResponse(_shown(made), 201)

    async def confirm(self, request: Request) -> Response:
        """POST /api/retention/proposals/{id}/confirmation: by another person than who proposed it."""
        caller = await self._officer(request)
        wish = await body_of(request, Confirmation)
        found = await self._keeping.confirm(
            caller.person, id_of(request, "proposal"), wish.reason, alone=wish.alone
        )
        return JSONResponse(_shown(found))

    async def withdraw(self, request: Request) -> Response:
        """POST /api/retention/proposals/{id}/withdrawal: by who proposed it."""
        caller = await self._officer(request)
        wish = await body_of(request, Withdrawal)
        found = await self._keeping.withdraw(caller.person, id_of(request, "proposal"), wish.reason)
        return JSONResponse(_shown(found))

    async def _officer(self, request: Request) -> Caller:
        caller = await self._callers.caller(request)
        check_names(request, ())
        if not self._is_officer(caller):
            raise _not_an_officer()
        return caller

    def _is_officer(self, caller: Caller) -> bool:
        person = caller.person
        return not person.issuer or bool(self._officers & frozenset(person.groups))


def _not_an_officer() -> Problem:
    return Problem(403, "no_officer", "this is for members of retention.officer_groups")


def _shown(proposal: Proposal) -> Json:
    act = proposal.act
    return {
        "id": proposal.id,
        "kind": act["kind"],
        "content": act["content"],
        "state": proposal.state,
        "proposed_at": time_text(act["at"]),
        "asked_by": proposal.asked_by,
        "reason": act["reason"],
    }
