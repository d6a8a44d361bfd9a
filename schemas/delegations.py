"""Delegations: a reviewer lets somebody decide instead, until a date, or takes that back.

Records of topic `approvals.delegated`, keyed by the delegation's id and signed. A delegation holds for 90 days at
most and the topic keeps its records for longer, so whoever reads all of it knows of every end. What has ended stays
ended: a `given` that is written (again) after it is not believed.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, cast

from schemas.approvals import Delegation, plain
from schemas.codec import CodecError, codec
from schemas.signatures import SigningKey, signed

DELEGATED = "approvals.delegated"
DELEGATED_SCHEMA = "approval_delegated"

DelegationAct = Literal["given", "ended"]


class ApprovalDelegated(TypedDict):
    """A record of topic `approvals.delegated`; fields as in `approval_delegated.avsc`."""

    delegation_id: str
    at: int
    act: DelegationAct
    by_issuer: str
    by_subject: str
    reason: str
    delegation: Delegation | None
    component: str
    key_id: str
    signature: bytes


def signed_delegated(fields: Mapping[str, Any], key: SigningKey) -> ApprovalDelegated:
    """A record from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("ApprovalDelegated", signed(DELEGATED_SCHEMA, fields, key))


def delegated_value(record: ApprovalDelegated) -> bytes:
    """The value for `approvals.delegated`. Raises CodecError when it does not fit."""
    return codec(DELEGATED_SCHEMA).encode(record)


def open_delegated(key: bytes | None, value: bytes) -> ApprovalDelegated:
    """The record that lies under `key`. Raises CodecError for anything else. The signatures are not looked at."""
    record = {name: plain(found) for name, found in codec(DELEGATED_SCHEMA).decode(value).items()}
    if (key or b"").decode("utf-8", "replace") != record["delegation_id"]:
        raise CodecError("broken approval_delegated: the key and the delegation_id do not say the same")
    if (record["act"] == "given") != (record["delegation"] is not None):
        raise CodecError("broken approval_delegated: the act and the delegation do not fit")
    return cast("ApprovalDelegated", record)
