"""A call that waits for a person: what it is, what holds for it, and what the people said. Values only."""

from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.policy.facts import Call
from gateway.policy.verdict import Hold
from gateway.sessions import Principal

ApprovalState = Literal["pending", "approved", "denied", "expired", "revoked", "used"]


@dataclass(slots=True)
class HeldCall:
    """One exact call. `digest` is `schemas.calls.argument_digest` of it; `shown` its arguments, masked, as JSON.

    `reason`: the rule's words. `asked_for`: why the caller wants it ('' when nothing was said). `break_glass`: the
    caller wants to go ahead at once. `facts`: what bounds of standing grants may look at.
    """

    exchange_id: str
    session_id: str
    principal: Principal
    connection: str
    method: str
    tool: str
    verb: str
    object: str
    shown: bytes
    digest: str
    policy_version: str
    rule: str
    reason: str
    hold: Hold
    asked_for: str = ""
    break_glass: bool = False
    facts: Call = field(default_factory=Call)


@dataclass(frozen=True, slots=True)
class Approval:
    """What holds of an approval. `kind`: call, standing, access, break_glass. `ends_at`: UTC in microseconds."""

    approval_id: str
    state: ApprovalState
    kind: str = "call"
    uses_left: int = 0
    ends_at: int = 0
    approvers: tuple[str, ...] = ()
    comment: str = ""
    refusal: str = ""
    attributes: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def ended(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.state in ("denied", "expired", "revoked", "used")
