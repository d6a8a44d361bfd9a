"""Being let run by an approval, and taking a request back."""

import asyncio
import time

from gateway.edge.announce import stamp
from gateway.edge.approvals.drafts import said
from gateway.edge.approvals.matching import covers, exact
from gateway.edge.approvals.metrics import METRICS
from gateway.edge.approvals.parts import Parts
from gateway.edge.approvals.state import Known
from gateway.held import HeldCall
from schemas.approvals import ApprovalDecision, ApprovalSettled
from schemas.codec import CodecError

USE_SECONDS = 5.0
TRIES = 10
PAUSE_SECONDS = 1.0


class Using:
    """'' lets a call run; whatever is in doubt is a reason not to."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def use(self, approval_id: str, held: HeldCall) -> str:
        """'' once the machine has named this exchange, or at once where a grant needs no asking."""
        known = self._parts.state.get(approval_id)
        if known is None:
            return "no such approval is known"
        reason = self._unusable(known, held)
        if not reason and not known.unasked:
            with self._parts.claims.held(approval_id):
                reason = await self._let_run(approval_id, held)
        METRICS.used.labels("refused" if reason else "run").inc()
        return reason

    def _unusable(self, known: Known, held: HeldCall) -> str:
        if not (exact(known, held) or covers(known, held)):
            return "the approval is for another call"
        state = known.now(self._parts.now())
        return "" if state == "approved" else f"the approval is {state}"

    async def _let_run(self, approval_id: str, held: HeldCall) -> str:
        try:
            decision = said("use", approval_id, held, stamp(), self._parts.key)
        except CodecError:
            return "asking to run the call could not be written down"
        started = time.monotonic()
        try:
            async with asyncio.timeout(USE_SECONDS):
                with self._parts.answers.waiting(decision["decision_id"]) as answered:
                    if not await self._parts.writer.decided(decision):
                        return "asking to run the call could not be recorded"
                    answer = await answered
        except TimeoutError:
            return f"the approvals processor gave no answer within {USE_SECONDS:.0f} s"
        METRICS.use_seconds.observe(time.monotonic() - started)
        return _why_not(answer, decision)

    async def withdraw(self, approval_id: str, held: HeldCall, why: str) -> None:
        """Takes back what this very exchange asked for, while it is pending and nobody else here waits for it."""
        parts = self._parts
        if parts.claims.exchanges(approval_id) or not parts.open.asked_by(approval_id, held.exchange_id):
            return
        known = parts.state.get(approval_id)
        if known is None or known.state == "pending":
            parts.claims.release(approval_id)
            await self.take_back(approval_id, held, why)

    async def take_back(self, approval_id: str, held: HeldCall, why: str) -> bool:
        """Says so in the name of the one who asked; False where it is not known to be recorded."""
        decision = said("revoke", approval_id, held, stamp(), self._parts.key, comment=why)
        return await self._parts.writer.decided(decision)

    async def take_back_at_last(self, approval_id: str, held: HeldCall, why: str) -> None:
        """As `take_back`, several times where Kafka is slow; a request that stays all the same expires."""
        for _ in range(TRIES):
            if await self.take_back(approval_id, held, why):
                return
            await asyncio.sleep(PAUSE_SECONDS)


def _why_not(answer: ApprovalSettled, decision: ApprovalDecision) -> str:
    if answer["refusal"]:
        return f"the approval does not let it run: {answer['refusal']}"
    granted = answer["approval_id"] == decision["approval_id"] and answer["use_id"] == decision["use_id"]
    return "" if granted and answer["state"] in ("approved", "used") else "the answer is for another exchange"
