"""How long the trail is kept: what people proposed and confirmed, and what holds by that. Pure.

Records of topic `retention`, keyed by the proposal's id and signed by the component that took the person's word:

    proposed ──▶ confirmed, by another person, within PROPOSAL_DAYS ──▶ in force
        └──────▶ withdrawn

A confirmation repeats the whole content, so that both signatures are over the same words.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict, cast

from schemas.approvals import plain
from schemas.codec import CodecError, codec
from schemas.signatures import SigningKey, signed

RETENTION: Final = "retention"
SCHEMA: Final = "retention_act"

RetentionKind = Literal["rules", "hold", "release", "erasure"]
RetentionVerb = Literal["proposed", "confirmed", "withdrawn", "started", "lengthened"]


class RetentionAct(TypedDict):
    """A record of topic `retention`; fields as in `retention_act.avsc`. `at` is UTC in microseconds."""

    act_id: str
    proposal_id: str
    at: int
    act: RetentionVerb
    kind: RetentionKind
    content: str
    who_issuer: str
    who_subject: str
    who_aliases: list[str]
    alone: bool
    reason: str
    component: str
    key_id: str
    signature: bytes


def signed_act(fields: Mapping[str, Any], key: SigningKey) -> RetentionAct:
    """A record from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("RetentionAct", signed(SCHEMA, fields, key))


def act_value(record: RetentionAct) -> bytes:
    """The value for topic `retention`; its key is the proposal's id. Raises CodecError when it does not fit."""
    return codec(SCHEMA).encode(record)


def open_act(key: bytes | None, value: bytes) -> RetentionAct:
    """The record that lies under `key`. Raises CodecError for anything else. The signature is not looked at."""
    record = {name: plain(found) for name, found in codec(SCHEMA).decode(value).items()}
    if (key or b"").decode("utf-8", "replace") != record["proposal_id"]:
        raise CodecError("broken retention_act: the key and the proposal_id do not say the same")
    return cast("RetentionAct", record)
