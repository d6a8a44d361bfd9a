"""What asking for approvals and using them have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.edge.approvals.bells import Bells
from gateway.edge.approvals.claims import Claims
from gateway.edge.approvals.open_requests import OpenRequests
from gateway.edge.approvals.state import ApprovalsState
from gateway.edge.approvals.writer import Writer
from schemas.approvals import ApprovalSettled
from schemas.signatures import SigningKey


@dataclass(frozen=True, slots=True)
class Parts:
    """`answers`: settled records by the decision they answer. `now`: UTC in microseconds."""

    key: SigningKey
    writer: Writer
    state: ApprovalsState
    open: OpenRequests
    claims: Claims
    answers: Bells[ApprovalSettled]
    now: Callable[[], int]
