"""Approvals: what is asked, what people say to it, and what holds.

Records of topics `approvals.requested`, `approvals.decided` and `approvals.settled`, all keyed by the approval's id
and all signed (see `schemas.signatures`). Times are UTC in microseconds. Only the approvals processor settles;
whoever reads `approvals.settled` believes a record with its signature, and of several the highest version.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypedDict, cast
from uuid import UUID

from schemas.codec import CodecError, codec
from schemas.signatures import SigningKey, signed

REQUESTED, DECIDED, SETTLED = "approvals.requested", "approvals.decided", "approvals.settled"
REQUEST_SCHEMA, DECISION_SCHEMA, SETTLED_SCHEMA = "approval_requested", "approval_decided", "approval_settled"
DELEGATION_SCHEMA = "approval_decided.delegation"
NOBODY = str(UUID(int=0))
"""The approval id of a tick."""

ANY_NUMBER = -1
"""`uses_left` of a grant that only time ends."""

ApprovalKind = Literal["call", "standing", "access", "break_glass"]
DecisionVerb = Literal["approve", "deny", "revoke", "use", "review", "tick"]
ApprovalState = Literal["pending", "approved", "denied", "expired", "revoked", "used"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class QuorumPart(TypedDict):
    """So many different people out of these groups and persons (`ISSUER|SUBJECT`)."""

    reviewers: list[str]
    people: int


class ApprovalRequest(TypedDict):
    """A record of topic `approvals.requested`; fields as in `approval_requested.avsc`."""

    approval_id: str
    requested_at: int
    kind: ApprovalKind
    exchange_id: str
    session_id: str
    principal_issuer: str
    principal_subject: str
    principal_groups: list[str]
    principal_aliases: list[str]
    client_id: str
    connection: str
    method: str
    tool: str
    verb: str
    object: str
    arguments: bytes
    argument_digest: str
    policy_version: str
    rule: str
    reason: str
    quorum: list[QuorumPart]
    comment_required: bool
    hours: str
    expires_at: int
    grant_seconds: int
    uses_max: int
    bound: str
    break_glass_groups: list[str]
    review_seconds: int
    key_id: str
    signature: bytes


class Delegation(TypedDict):
    """A reviewer lets somebody decide instead, from one time until another. Signed by the component that took it."""

    from_issuer: str
    from_subject: str
    from_groups: list[str]
    from_aliases: list[str]
    to_issuer: str
    to_subject: str
    from_at: int
    until_at: int
    key_id: str
    signature: bytes


class ApprovalDecision(TypedDict):
    """A record of topic `approvals.decided`; fields as in `approval_decided.avsc`."""

    decision_id: str
    approval_id: str
    at: int
    verb: DecisionVerb
    who_issuer: str
    who_subject: str
    who_groups: list[str]
    who_aliases: list[str]
    component: str
    comment: str
    argument_digest: str
    policy_version: str
    use_id: str
    delegation: Delegation | None
    key_id: str
    signature: bytes


class ApprovalSettled(TypedDict):
    """A record of topic `approvals.settled`; fields as in `approval_settled.avsc`."""

    settled_id: str
    approval_id: str
    version: int
    at: int
    state: ApprovalState
    kind: ApprovalKind
    principal_issuer: str
    principal_subject: str
    connection: str
    method: str
    tool: str
    verb: str
    object: str
    argument_digest: str
    policy_version: str
    rule: str
    bound: str
    uses_left: int
    ends_at: int
    use_id: str
    decision_id: str
    refusal: str
    approvers: list[str]
    comment: str
    review_due_at: int | None
    reviewed_by: str
    key_id: str
    signature: bytes


def signed_request(fields: Mapping[str, Any], key: SigningKey) -> ApprovalRequest:
    """A request from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("ApprovalRequest", signed(REQUEST_SCHEMA, fields, key))


def signed_decision(fields: Mapping[str, Any], key: SigningKey) -> ApprovalDecision:
    """A decision from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("ApprovalDecision", signed(DECISION_SCHEMA, fields, key))


def signed_delegation(fields: Mapping[str, Any], key: SigningKey) -> Delegation:
    """A delegation from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("Delegation", signed(DELEGATION_SCHEMA, fields, key))


def signed_settled(fields: Mapping[str, Any], key: SigningKey) -> ApprovalSettled:
    """A settled record from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("ApprovalSettled", signed(SETTLED_SCHEMA, fields, key))


def request_value(record: ApprovalRequest) -> bytes:
    """The value for `approvals.requested`. Raises CodecError when it does not fit."""
    return codec(REQUEST_SCHEMA).encode(record)


def decision_value(record: ApprovalDecision) -> bytes:
    """The value for `approvals.decided`. Raises CodecError when it does not fit."""
    return codec(DECISION_SCHEMA).encode(record)


def settled_value(record: ApprovalSettled) -> bytes:
    """The value for `approvals.settled`. Raises CodecError when it does not fit."""
    return codec(SETTLED_SCHEMA).encode(record)


def open_request(key: bytes | None, value: bytes) -> ApprovalRequest:
    """The request that lies under `key`. Raises CodecError for anything else. The signature is not looked at."""
    return cast("ApprovalRequest", _opened(REQUEST_SCHEMA, key, value))


def open_decision(key: bytes | None, value: bytes) -> ApprovalDecision:
    """The decision that lies under `key`. Raises CodecError for anything else. The signature is not looked at."""
    return cast("ApprovalDecision", _opened(DECISION_SCHEMA, key, value))


def open_settled(key: bytes | None, value: bytes) -> ApprovalSettled:
    """The settled record under `key`. Raises CodecError for anything else. The signature is not looked at."""
    return cast("ApprovalSettled", _opened(SETTLED_SCHEMA, key, value))


def _opened(schema: str, key: bytes | None, value: bytes) -> dict[str, Any]:
    record = {name: plain(found) for name, found in codec(schema).decode(value).items()}
    if (key or b"").decode("utf-8", "replace") != record["approval_id"]:
        raise CodecError(f"broken {schema}: the key and the approval_id do not say the same")
    return record


def plain(value: Any) -> Any:
    """Avro's logical types as the records have them: ids as text, times in microseconds."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, dict):
        return {name: plain(found) for name, found in value.items()}
    return value
