"""Who comes in: identity, blocks, access and quotas, before a byte of the body is read."""

import time
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Protocol

from gateway.access import Gate
from gateway.edge.approvals import Approvals
from gateway.edge.control import Control
from gateway.edge.identity import Identity, UnidentifiedError
from gateway.edge.identity.challenge import challenge
from gateway.edge.quotas import Lease, Quotas
from gateway.edge.quotas import Refused as OverQuota
from gateway.effects import Request
from gateway.policy.facts import Call, ConnectionFacts, HttpFacts
from gateway.refusals import Refused, too_often
from gateway.rules import principal_facts
from gateway.sessions import NOBODY, Principal, anonymous

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Admitted:
    """A caller who may go on; `lease` is its place in the quotas, to be left at the end. `lent`: it may only for as
    long as somebody has lent it access."""

    principal: Principal
    lease: Lease
    lent: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """A caller who may not, as far as it is known who that is."""

    principal: Principal
    refused: Refused


class Entrance(Protocol):
    """What the admission needs to know of a connection."""

    @property
    def name(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def gate(self) -> Gate: ...
    @property
    def facts(self) -> ConnectionFacts: ...


class Admission:
    """One a process. `identity` is None where nobody is asked who they are."""

    def __init__(
        self, identity: Identity | None, control: Control, quotas: Quotas, approvals: Approvals
    ) -> None:
        self._identity = identity
        self._control = control
        self._quotas = quotas
        self._approvals = approvals

    async def admit(self, request: Request, entrance: Entrance) -> Admitted | Turned:
        """Lets a request in, or says why not. Waits for a provider of identity only when its keys are not at hand."""
        if not self._control.ready:
            return Turned(NOBODY, Refused("control_unavailable", self._control.fault))
        try:
            principal = await self._principal(request, entrance)
        except UnidentifiedError as exc:
            challenge = ((b"www-authenticate", exc.challenge.encode("latin-1")),) if exc.challenge else ()
            return Turned(NOBODY, Refused(exc.reason_code, exc.detail, challenge))
        barred = self._barred(principal, request, entrance)
        if barred is not None:
            return Turned(principal, barred)
        lease = self._quotas.enter(entrance.name, principal)
        if isinstance(lease, OverQuota):
            return Turned(principal, too_often(lease.detail, lease.retry_after_seconds))
        wait = self._lowered(principal)
        if wait > 0.0:
            lease.leave()
            return Turned(principal, too_often("the limits of this principal were lowered", wait))
        return Admitted(principal, lease, lent=not entrance.gate.names(principal))

    def _lowered(self, principal: Principal) -> float:
        """Seconds to wait where a response has lowered what this principal may do; 0.0 for none."""
        rate = self._control.lowered(principal)
        if rate is None:
            return 0.0
        return self._quotas.take(("", "lowered", principal.issuer, principal.subject), rate)

    def still_lent(self, principal: Principal, connection: str) -> bool:
        """Whether the access that was lent to this principal has not ended."""
        return self._approvals.may_access(principal, connection)

    def stopped(self, principal: Principal) -> Refused | None:
        """Whether an operator has stopped this caller, or its token: asked again whenever that may have changed."""
        if self._control.revoked(principal.credential):
            return Refused("invalid_token", "it was revoked")
        blocked = self._control.blocked(principal)
        return Refused("principal_blocked", blocked) if blocked else None

    def _barred(self, principal: Principal, request: Request, entrance: Entrance) -> Refused | None:
        stopped = self.stopped(principal)
        if stopped is None and not self.may_use(principal, entrance, request):
            return Refused("connection_not_allowed")
        if stopped is not None and stopped.reason_code == "invalid_token":  # another token would help
            way = challenge("invalid_token", stopped.detail, entrance.resource, ())
            return replace(stopped, headers=((b"www-authenticate", way.encode("latin-1")),))
        return stopped

    def may_use(self, principal: Principal, entrance: Entrance, request: Request) -> bool:
        """Whether the principal may use the connection: by its binding or because access was lent to it, within its
        session token's own bound."""
        if principal.connection and principal.connection != entrance.name:
            return False
        lent = not entrance.gate.names(principal) and self.still_lent(principal, entrance.name)
        facts = partial(access_call, principal, entrance.facts, request)
        return entrance.gate.lets(principal, facts, lent=lent)

    async def _principal(self, request: Request, entrance: Entrance) -> Principal:
        if self._identity is None:
            host = request.peer.rpartition(":")[0]
            return _anonymous(host, request.user_agent, int(time.time()) // DAY_SECONDS)
        return await self._identity.identify(request.headers, request.query, entrance.resource)


@lru_cache(maxsize=4096)
def _anonymous(host: str, user_agent: str, day: int) -> Principal:
    """The caller where nobody is asked; `day` counts from 1970."""
    return anonymous(host, user_agent, time.strftime("%Y-%m-%d", time.gmtime(day * DAY_SECONDS)))


def access_call(principal: Principal, connection: ConnectionFacts, request: Request) -> Call:
    """The facts that a condition on access may look at: who, over what, how; not what for."""
    return Call(
        principal=principal_facts(principal),
        connection=connection,
        http=HttpFacts(
            request.method, request.path.partition("?")[0], request.query, request.peer, request.user_agent
        ),
        now=time.time(),
    )
