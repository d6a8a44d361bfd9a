"""What is said of a held call to whoever waits for it, a person or a model, and to its program."""

from typing import Any

from gateway.held import Approval

_ENDS = {
    "denied": "denied",
    "expired": "nobody approved it in time",
    "revoked": "its approval was withdrawn",
    "used": "its approval was used before",
}


def pending_text(approval: Approval, reason: str, status_url: str, retry_after: int) -> str:
    """The sentences for one that is not kept waiting any longer."""
    again = f"Repeat the same call in {retry_after} s" if retry_after > 0 else "Repeat the same call later"
    return (
        f"Not executed yet: it waits for a person's approval{_because(reason)}. Approval {approval.approval_id}."
        f" {again}: it finds this approval.{_shown_at(status_url)}"
    )


def denied_text(approval: Approval, reason: str) -> str:
    """The sentence for one whose call will not be executed."""
    people = ", ".join(name.rpartition("|")[2] for name in approval.approvers)
    by = f" by {people}" if people and approval.state == "denied" else ""
    said = approval.comment or approval.refusal
    comment = f": {said}" if said else ""
    why = _ENDS.get(approval.state, "it cannot be approved")
    rule = f" It needs a person's approval{_because(reason)}." if reason else ""
    return f"Not executed: {why}{by}{comment}.{rule} Approval {approval.approval_id}."


def waiting_text(approval: Approval, reason: str, seconds: int = 0) -> str:
    """The short sentence of a call that is waiting now. `seconds`: how long someone may still approve it."""
    left = f", {seconds} s left" if seconds > 0 else ""
    return f"Waiting for a person's approval{_because(reason)}{left}. Approval {approval.approval_id}."


def data(approval: Approval, status_url: str = "", retry_after: int = 0) -> dict[str, Any]:
    """The same for programs. `reason`: approval_pending, approval_denied, approval_expired, …"""
    said: dict[str, Any] = {
        "reason": f"approval_{approval.state}",
        "approval_id": approval.approval_id,
        "status_url": status_url,
        "retry_after": retry_after,
    }
    return {name: value for name, value in said.items() if value}


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _shown_at(status_url: str) -> str:
    return f" Its state: {status_url}" if status_url else ""
