"""What a console writes: acts onto `admin`, what people say of findings, decisions and delegations onto their topics.
True: Kafka has it."""

from collections.abc import Mapping
from typing import Any

from console.directory import Person
from gateway.edge.announce import ADMIN, FINDINGS, Announcer, stamp
from schemas.admin import Actor, Outcome, admin_record
from schemas.approvals import ApprovalDecision, decision_value
from schemas.delegations import ApprovalDelegated, delegated_value
from schemas.kafka import KafkaAddress

CONTROL, DECIDED, DELEGATED = "control", "approvals.decided", "approvals.delegated"


class Scribe(Announcer):
    """One a process; `start` before use."""

    def __init__(self, kafka: KafkaAddress) -> None:
        super().__init__(kafka, topics=(ADMIN, FINDINGS, CONTROL, DECIDED, DELEGATED))

    async def decided(self, record: ApprovalDecision) -> bool:
        """Somebody said something on an approval; the processor will answer it."""
        return await self._tell(DECIDED, record["approval_id"], decision_value(record))

    async def delegated(self, record: ApprovalDelegated) -> bool:
        """Somebody lets another decide, or does so no more."""
        return await self._tell(DELEGATED, record["delegation_id"], delegated_value(record))

    async def act(
        self,
        who: Person,
        action: str,
        target: str,
        outcome: Outcome,
        *,
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> bool:
        """`who` does something through the console."""
        actor = Actor("console", who.subject, who.issuer)
        record = admin_record(stamp(), actor, action, target, outcome, reason=reason, detail=detail)
        return await self.admin(record)
