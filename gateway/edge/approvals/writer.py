"""What this process says of approvals, onto `approvals.requested` and `approvals.decided`."""

from gateway.edge.announce import Announcer
from schemas.approvals import (
    DECIDED,
    REQUESTED,
    ApprovalDecision,
    ApprovalRequest,
    decision_value,
    request_value,
)
from schemas.kafka import KafkaAddress


class Writer(Announcer):
    """One a process; True only after Kafka's acknowledgement, False leaves it in doubt whether it was written."""

    def __init__(self, kafka: KafkaAddress, *, deadline_seconds: float) -> None:
        super().__init__(kafka, deadline_seconds=deadline_seconds, topics=(REQUESTED, DECIDED))

    async def requested(self, request: ApprovalRequest) -> bool:
        """People are asked."""
        return await self._tell(REQUESTED, request["approval_id"], request_value(request))

    async def decided(self, decision: ApprovalDecision) -> bool:
        """The machine is asked for an answer."""
        return await self._tell(DECIDED, decision["approval_id"], decision_value(decision))
