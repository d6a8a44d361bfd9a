"""From what a gateway wants to the signed records that ask for it: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.edge.approvals.matching import within
from gateway.held import HeldCall
from gateway.policy.verdict import Asked, Hold
from gateway.sessions import Principal
from gateway.settings import AccessRequests
from schemas.approvals import (
    ApprovalDecision,
    ApprovalKind,
    ApprovalRequest,
    DecisionVerb,
    signed_decision,
    signed_request,
)
from schemas.signatures import SigningKey
from schemas.stamps import Stamp

SECOND = 1_000_000
SHOWN_BYTES_MAX = 512 * 1024
"""Arguments that nobody can look at are not asked about."""

TEXT_CHARACTERS_MAX = 2_000
COMPONENT = "gateway"


def kind_of(held: HeldCall) -> ApprovalKind:
    """What is asked for: a grant only where this call would lie within it."""
    if held.break_glass and held.hold.break_glass is not None:
        return "break_glass"
    grant = held.hold.grant
    return "standing" if grant is not None and within(grant.bound, held) else "call"


def call_request(held: HeldCall, stamp: Stamp, key: SigningKey) -> ApprovalRequest:
    """The request for a held call. Raises CodecError when it does not fit, ValueError when it cannot be shown."""
    if len(held.shown) > SHOWN_BYTES_MAX:
        raise ValueError(f"arguments of more than {SHOWN_BYTES_MAX} bytes are shown to nobody")
    kind, hold = kind_of(held), held.hold
    fields = {
        **_base(stamp, kind, held.principal, held.connection),
        "exchange_id": held.exchange_id,
        "session_id": held.session_id,
        "method": held.method,
        "tool": held.tool,
        "verb": held.verb,
        "object": held.object,
        "arguments": held.shown,
        "argument_digest": held.digest,
        "policy_version": held.policy_version,
        "rule": held.rule,
        "reason": _reason(held, kind),
        "quorum": _quorum(hold.quorum),
        "comment_required": hold.comment_required,
        "hours": hold.hours,
        "expires_at": stamp.at + hold.expires_seconds * SECOND,
        **_grant(hold, kind),
    }
    return signed_request(_plain(fields), key)


@dataclass(frozen=True, slots=True)
class AccessWish:
    """Access to a connection for so many seconds, and why. `stamp.id` becomes the id of the approval."""

    connection: str
    reason: str
    seconds: int
    terms: AccessRequests
    stamp: Stamp


def access_request(principal: Principal, wish: AccessWish, key: SigningKey) -> ApprovalRequest:
    """The request for access. Raises CodecError when it does not fit."""
    terms, stamp = wish.terms, wish.stamp
    quorum = tuple(Asked(reviewers, people) for reviewers, people in terms.quorum)
    fields = {
        **_base(stamp, "access", principal, wish.connection),
        "reason": _cut(wish.reason),
        "quorum": _quorum(quorum),
        "comment_required": terms.comment_required,
        "expires_at": stamp.at + terms.expires_seconds * SECOND,
        "grant_seconds": wish.seconds,
    }
    return signed_request(_plain(fields), key)


def said(
    verb: DecisionVerb, approval_id: str, held: HeldCall, stamp: Stamp, key: SigningKey, *, comment: str = ""
) -> ApprovalDecision:
    """A decision in the name of the one who calls: `use` to run the call now, `revoke` to think better of it."""
    fields = {
        "decision_id": stamp.id,
        "approval_id": approval_id,
        "at": stamp.at,
        "verb": verb,
        "who_issuer": held.principal.issuer,
        "who_subject": held.principal.subject,
        "who_groups": list(held.principal.groups),
        "who_aliases": _aliases(held.principal),
        "component": COMPONENT,
        "comment": _cut(comment),
        "argument_digest": held.digest,
        "policy_version": held.policy_version,
        "use_id": held.exchange_id if verb == "use" else "",
        "delegation": None,
    }
    return signed_decision(_plain(fields), key)


def _base(stamp: Stamp, kind: ApprovalKind, principal: Principal, connection: str) -> dict[str, Any]:
    return {
        "approval_id": stamp.id,
        "requested_at": stamp.at,
        "kind": kind,
        "exchange_id": "",
        "session_id": "",
        "principal_issuer": principal.issuer,
        "principal_subject": principal.subject,
        "principal_groups": list(principal.groups),
        "principal_aliases": _aliases(principal),
        "client_id": principal.client_id,
        "connection": connection,
        "method": "",
        "tool": "",
        "verb": "",
        "object": "",
        "arguments": b"",
        "argument_digest": "",
        "policy_version": "",
        "rule": "",
        "hours": "",
        "grant_seconds": 0,
        "uses_max": 0,
        "bound": "",
        "break_glass_groups": [],
        "review_seconds": 0,
    }


def _grant(hold: Hold, kind: ApprovalKind) -> dict[str, Any]:
    if kind == "standing" and hold.grant is not None:
        return {
            "grant_seconds": hold.grant.seconds,
            "uses_max": hold.grant.uses,
            "bound": hold.grant.bound,
        }
    if kind == "break_glass" and hold.break_glass is not None:
        return {
            "break_glass_groups": list(hold.break_glass.groups),
            "review_seconds": hold.break_glass.review_seconds,
        }
    return {}


def _reason(held: HeldCall, kind: ApprovalKind) -> str:
    """Who breaks the glass gives a reason of their own: the rule's words are none."""
    if kind == "break_glass" or not held.reason:
        return _cut(held.asked_for)
    return _cut(f"{held.reason}; the caller says: {held.asked_for}" if held.asked_for else held.reason)


def _quorum(parts: tuple[Asked, ...]) -> list[dict[str, Any]]:
    return [{"reviewers": list(part.reviewers), "people": part.people} for part in parts]


def _aliases(principal: Principal) -> list[str]:
    return [f"mail:{principal.email}"] if principal.email else []


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_CHARACTERS_MAX else text[: TEXT_CHARACTERS_MAX - 1] + "…"


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Half a surrogate pair is no text for Avro; what stands for it matches nothing, so nothing is let run by it."""
    return {name: _whole(value) for name, value in fields.items()}


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
