"""Asking people: how many at once, and what is in doubt."""

import structlog

from gateway.edge.announce import stamp
from gateway.edge.approvals.drafts import AccessWish, access_request, call_request
from gateway.edge.approvals.metrics import METRICS
from gateway.edge.approvals.parts import Parts
from gateway.edge.approvals.state import Known, Owner, asked, owner
from gateway.held import Approval, HeldCall
from gateway.sessions import Principal
from schemas.approvals import ApprovalRequest
from schemas.codec import CodecError

PENDING_MAX = 100
ACCESS_PENDING_MAX = 5
"""Of one principal, on all gateways together; people are asked about no more at once."""

ASKED_MAX = 10_000
"""Of one process, all principals together."""

log = structlog.get_logger("approvals")


class Asking:
    """Puts requests on their topic. None is always: nobody may count on its being recorded."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def full(self, who: Owner, *, access: bool) -> str:
        """Why no more is asked for this principal now; '' when it is."""
        if len(self._parts.open) >= ASKED_MAX:
            return "too many approvals are asked for through this gateway"
        pending = self.pending(who)
        if len(pending) >= PENDING_MAX:
            return f"{len(pending)} approvals of this principal are pending: no more are asked for at once"
        accesses = sum(each.kind == "access" for each in pending)
        if access and accesses >= ACCESS_PENDING_MAX:
            return f"{accesses} requests for access of this principal are pending: no more are taken at once"
        return ""

    def pending(self, who: Owner) -> list[Known]:
        """What people are asked about, or will be as soon as the machine has seen it."""
        now = self._parts.now()
        own = self._parts.state.open_of(who) + self._parts.open.unseen(who)
        return [each for each in own if each.now(now) == "pending"]

    async def call(self, held: HeldCall) -> Approval | None:
        """The pending approval of a held call once its request is acknowledged."""
        if self.full(owner(held.principal), access=False):
            return None
        try:
            request = call_request(held, stamp(), self._parts.key)
        except (CodecError, ValueError) as error:
            METRICS.asked.labels("call", "unfit").inc()
            log.error("approval_not_asked", fault=str(error), rule=held.rule)  # noqa: TRY400
            return None
        return await self._request(request, held)

    async def access(self, principal: Principal, wish: AccessWish) -> Approval | None:
        """The pending approval of access once its request is acknowledged."""
        if self.full(owner(principal), access=True):
            return None
        try:
            request = access_request(principal, wish, self._parts.key)
        except CodecError as error:
            METRICS.asked.labels("access", "unfit").inc()
            log.error("approval_not_asked", fault=str(error), connection=wish.connection)  # noqa: TRY400
            return None
        return await self._request(request, None)

    async def _request(self, request: ApprovalRequest, held: HeldCall | None) -> Approval | None:
        known = asked(request)
        approval_id = known.approval_id
        self._parts.open.add(known, request["exchange_id"])
        self._parts.claims.linger(approval_id)
        acknowledged = False
        try:
            acknowledged = await self._parts.writer.requested(request)
        finally:  # also when the exchange was cancelled meanwhile
            if not acknowledged:
                self._parts.claims.release(approval_id)
                self._parts.open.doubt(approval_id, held)
        METRICS.asked.labels(known.kind, "asked" if acknowledged else "in_doubt").inc()
        if not acknowledged:
            return None
        self._parts.open.confirm(approval_id)
        return known.told(self._parts.now())
