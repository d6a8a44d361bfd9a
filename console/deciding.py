"""How a person's word becomes a decision: on the record first, signed, written, answered by the processor."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from console.acts import Scribe
from console.delegations import Given
from console.directory import Person
from console.errors import DeskError
from console.ledger import Ledger
from console.settings import DeskLimits
from gateway.edge.announce import stamp
from schemas.admin import Outcome
from schemas.approvals import ApprovalDecision, ApprovalRequest, ApprovalSettled, signed_decision
from schemas.codec import CodecError
from schemas.signatures import SigningKey

COMPONENT = "console"

Verb = Literal["approve", "deny", "revoke", "review"]


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of an approval, through what, having seen the call with this digest, and instead of whom."""

    verb: Verb
    who: Person
    comment: str
    through: str
    digest: str
    given: Given | None


class Decider:
    """Takes words to the processor."""

    def __init__(self, ledger: Ledger, scribe: Scribe, key: SigningKey, limits: DeskLimits) -> None:
        self._ledger, self._scribe, self._key, self._limits = ledger, scribe, key, limits

    async def decide(self, request: ApprovalRequest, word: Word) -> ApprovalSettled:
        """The processor's answer, which counts it. Raises DeskError."""
        decision = self._decision(request, word)
        detail = _detail(decision, word)
        if not await self._record(decision, word, "asked", detail):
            raise DeskError(
                "unavailable", f"nothing was decided, because it could not be recorded: {self._scribe.fault}"
            )
        try:
            answer = await self._answered(decision)
        except DeskError as error:
            await self._record(decision, word, "failed", {**detail, "fault": str(error)})
            raise
        outcome: Outcome = "refused" if answer["refusal"] else "done"
        said = {"state": answer["state"], "refusal": answer["refusal"]}
        recorded = await self._record(decision, word, outcome, {**detail, **said})
        if answer["refusal"]:
            raise DeskError("refused", answer["refusal"])
        if not recorded:
            raise DeskError(
                "unavailable", f"it is decided, but the trail does not say so yet: {self._scribe.fault}"
            )
        return answer

    async def _answered(self, decision: ApprovalDecision) -> ApprovalSettled:
        """Write it and wait. Raises DeskError when it is not known what became of it."""
        waiting = self._ledger.answer(decision["decision_id"])
        try:
            if not await self._scribe.decided(decision):
                raise DeskError(
                    "unavailable", "it is in doubt whether it was decided; look before you repeat it"
                )
            return await asyncio.wait_for(waiting, self._limits.answer_seconds)
        except TimeoutError as error:
            raise DeskError(
                "unavailable",
                "it is written down, but nobody has answered; it counts once the approvals processor runs",
            ) from error
        finally:
            self._ledger.forget(decision["decision_id"])

    async def _record(
        self, decision: ApprovalDecision, word: Word, outcome: Outcome, detail: dict[str, Any]
    ) -> bool:
        target, action = decision["approval_id"], f"approval.{word.verb}"
        return await self._scribe.act(word.who, action, target, outcome, reason=word.comment, detail=detail)

    def _decision(self, request: ApprovalRequest, word: Word) -> ApprovalDecision:
        made = stamp()
        fields = {
            "decision_id": made.id,
            "approval_id": request["approval_id"],
            "at": made.at,
            "verb": word.verb,
            "who_issuer": word.who.issuer,
            "who_subject": word.who.subject,
            "who_groups": list(word.who.groups),
            "who_aliases": list(word.who.aliases),
            "component": COMPONENT,
            "comment": word.comment,
            "argument_digest": word.digest or request["argument_digest"],
            "policy_version": request["policy_version"],
            "use_id": "",
            "delegation": word.given.delegation if word.given else None,
        }
        try:
            return signed_decision(fields, self._key)
        except CodecError as error:
            raise DeskError("refused", f"it cannot be written down: {error}") from error


def _detail(decision: ApprovalDecision, word: Word) -> dict[str, Any]:
    detail = {
        "decision_id": decision["decision_id"],
        "through": word.through,
        "groups": list(word.who.groups),
    }
    if word.given:
        detail |= {"instead_of": word.given.giver, "delegation_id": word.given.delegation_id}
    return detail
