"""`/approvals`: what became of one's own, and asking for access to a connection."""

import time
from collections.abc import Iterable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.edge.announce import Announcer, stamp
from gateway.edge.approvals.access_form import AccessForm, access_form
from gateway.edge.approvals.answers import RETRY_SECONDS, ApprovalError, one, refusal, several
from gateway.edge.approvals.book import Approvals
from gateway.edge.approvals.callers import Callers
from gateway.edge.approvals.drafts import AccessWish
from gateway.edge.control import Control
from gateway.edge.identity import Identity
from gateway.edge.quotas import Quotas
from gateway.edge.tokens.strangers import Strangers
from gateway.held import Approval
from gateway.sessions import NOBODY, Principal
from gateway.settings import AccessRequests, Connection, IdentitySettings, Rate
from schemas.admin import Actor, Outcome, admin_record

PATH = "/approvals"
ASK_RATE = Rate(0.2, 10)
"""Requests for access of one principal, refused ones too."""

LISTED_MAX = 200
ACTION = "access.ask"


def approval_routes(
    approvals: Approvals,
    *,
    identity: Identity | None,
    settings: IdentitySettings,
    connections: Iterable[Connection],
    control: Control,
    announcer: Announcer,
    hosts: frozenset[str] = frozenset(),
) -> list[Route]:
    """What Starlette serves. `identity` is None where nobody is asked who they are."""
    known = {each.name: each for each in connections}
    callers = Callers(identity, settings, control, known.values(), hosts)
    return _Endpoint(approvals, callers, known, announcer).routes()


class _Endpoint:
    def __init__(
        self, approvals: Approvals, callers: Callers, connections: dict[str, Connection], announcer: Announcer
    ) -> None:
        self._approvals = approvals
        self._callers = callers
        self._connections = connections
        self._announcer = announcer
        self._rates = Quotas((), time.monotonic)
        self._strangers = Strangers()

    def routes(self) -> list[Route]:
        return [
            Route(f"{PATH}/access", self.ask, methods=["POST"]),
            Route(PATH, self.own, methods=["GET"]),
            Route(f"{PATH}/{{id}}", self.look, methods=["GET"]),
        ]

    async def own(self, request: Request) -> Response:
        try:
            principal = await self._caller(request)
        except ApprovalError as error:
            return refusal(error)
        mine = [each for each in self._approvals.own(principal) if _may_see(principal, each)]
        return several(mine[:LISTED_MAX])

    async def look(self, request: Request) -> Response:
        try:
            principal = await self._caller(request)
            approval = self._approvals.look(principal, request.path_params["id"])
            if approval is None or not _may_see(principal, approval):
                raise ApprovalError(404, "not_found", "you have no such approval, or it ended long ago")
        except ApprovalError as error:
            return refusal(error)
        return one(approval)

    async def ask(self, request: Request) -> Response:
        principal, target = NOBODY, ""
        try:
            principal = await self._caller(request)
            self._check_rate(principal)
            form = await access_form(request)
            target = form.connection
            terms = self._terms(principal, form)
            approval = self._pending(principal, target) or await self._ask(principal, form, terms)
        except ApprovalError as error:
            return await self._refuse(principal, target, error)
        except ClientDisconnect:
            return Response(status_code=400)
        return one(approval, 202)

    # -- asking for access

    def _terms(self, principal: Principal, form: AccessForm) -> AccessRequests:
        connection = self._connections.get(form.connection)
        terms = connection.access_requests if connection is not None else None
        bound_elsewhere = principal.connection not in ("", form.connection)
        if terms is None or bound_elsewhere:
            text = "there is no connection of this name that takes requests for access: ask its owner"
            raise ApprovalError(404, "no_access_requests", text)
        if form.seconds > terms.seconds_max:
            text = f"seconds must be at most {terms.seconds_max} for this connection"
            raise ApprovalError(400, "too_many_seconds", text)
        return terms

    def _pending(self, principal: Principal, connection: str) -> Approval | None:
        """Who asks twice is told of what is pending."""
        asked = (each for each in self._approvals.own(principal) if each.kind == "access")
        mine = (each for each in asked if each.attributes["connection"] == connection)
        return next((each for each in mine if each.state == "pending"), None)

    async def _ask(self, principal: Principal, form: AccessForm, terms: AccessRequests) -> Approval:
        if full := self._approvals.room(principal, access=True):
            raise ApprovalError(429, "too_many_pending", full, {"Retry-After": "60"})
        wish = AccessWish(form.connection, form.reason, form.seconds, terms, stamp())
        detail = {"approval_id": wish.stamp.id, "seconds": form.seconds}
        await self._record(principal, form.connection, "asked", form.reason, detail)
        approval = await self._approvals.ask_access(principal, wish)
        if approval is None:
            text = "the request could not be recorded; look at your approvals before you ask again"
            await self._record(principal, form.connection, "failed", text, detail)
            raise _unavailable(text)
        return approval

    def _check_rate(self, principal: Principal) -> None:
        wait = self._rates.take((principal.issuer, principal.subject), ASK_RATE)
        if wait > 0.0:
            seconds = str(int(wait) + 1)
            raise ApprovalError(429, "rate_limited", "too many requests", {"Retry-After": seconds})

    async def _caller(self, request: Request) -> Principal:
        principal = await self._callers.principal(request)
        if not self._approvals.enabled:
            raise ApprovalError(404, "not_set_up", "this gateway takes no approvals")
        if not self._approvals.ready:
            raise _unavailable(self._approvals.fault)
        return principal

    async def _refuse(self, principal: Principal, target: str, error: ApprovalError) -> Response:
        """Each refusal has a record up to a rate; beyond it they are counted, and the next record says so."""
        if error.status == 503 or not self._strangers.has_room():
            return refusal(error)
        detail: dict[str, object] = {"reason_code": error.code}
        if untold := self._strangers.take_untold():
            detail["refused_without_record"] = untold
        try:
            await self._record(principal, target, "refused", error.text, detail)
        except ApprovalError as unrecorded:
            return refusal(unrecorded)
        return refusal(error)

    async def _record(
        self, principal: Principal, target: str, outcome: Outcome, reason: str, detail: dict[str, object]
    ) -> None:
        """Returns once the record is acknowledged. Raises ApprovalError when it is not."""
        actor = Actor("gateway", principal.subject, principal.issuer)
        told = {"client_id": principal.client_id, **detail}
        record = admin_record(stamp(), actor, ACTION, target, outcome, reason=reason, detail=told)
        if not await self._announcer.admin(record):
            raise _unavailable("the request could not be recorded, so nothing was done; try again")


def _may_see(principal: Principal, approval: Approval) -> bool:
    """A token for one connection shows what is of that connection."""
    return principal.connection in ("", approval.attributes["connection"])


def _unavailable(text: str) -> ApprovalError:
    return ApprovalError(503, "unavailable", text, {"Retry-After": str(RETRY_SECONDS)})
