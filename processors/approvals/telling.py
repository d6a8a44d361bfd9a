"""What the machine says, as records: ids come from the cause, and no clock is asked."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from processors.approvals.entry import Entry
from schemas.findings import FindingRecord, Severity, finding_record

_NAMESPACE = UUID("a3b1d0f6-5c0e-5c1d-8f5e-7d1f2a9c4e60")

FORGED, REPLAYED, SELF, ALTERED = "approval-forged", "approval-replayed", "approval-self", "approval-altered"
BROKEN, BROKEN_REFUSED = "break-glass", "break-glass-refused"
UNREVIEWED, UNKNOWN = "break-glass-unreviewed", "approval-unknown"
_SEVERITIES: dict[str, Severity] = {
    FORGED: "critical",
    REPLAYED: "high",
    SELF: "high",
    ALTERED: "high",
    BROKEN: "high",
    BROKEN_REFUSED: "high",
    UNREVIEWED: "high",
    UNKNOWN: "medium",
}

_AS_REQUESTED = (
    "kind",
    "principal_issuer",
    "principal_subject",
    "connection",
    "method",
    "tool",
    "verb",
    "object",
    "argument_digest",
    "policy_version",
    "rule",
    "bound",
)


class Settled(NamedTuple):
    """A record for `approvals.settled`, not signed yet."""

    fields: dict[str, Any]


class Raised(NamedTuple):
    """A record for `findings`."""

    finding: FindingRecord


Output = Settled | Raised


def settled(
    entry: Entry,
    cause: str,
    at: int,
    *,
    use_id: str = "",
    decision_id: str = "",
    refusal: str = "",
    comment: str = "",
) -> Settled:
    """What holds of `entry`, whose version is counted already, and why it is said."""
    request = entry.request or {}
    return Settled(
        {
            "settled_id": str(uuid5(_NAMESPACE, f"{entry.approval_id}:{cause}")),
            "approval_id": entry.approval_id,
            "version": entry.version,
            "at": at,
            "state": entry.state,
            **{name: request[name] for name in _AS_REQUESTED},
            "uses_left": entry.uses_left,
            "ends_at": entry.ends_at,
            "use_id": use_id,
            "decision_id": decision_id,
            "refusal": refusal,
            "approvers": [voice.name for voice in entry.voices],
            "comment": comment,
            "review_due_at": entry.review_due_at,
            "reviewed_by": entry.reviewed_by,
        }
    )


def raised(rule: str, title: str, evidence: Sequence[str], at: int) -> Raised:
    """A finding; `evidence` makes it the one it is."""
    return Raised(finding_record(rule, _SEVERITIES[rule], title, evidence, raised_at=at))
