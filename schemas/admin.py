"""What operators, and the gateway on its own account, did: records of topic `admin`. Never a secret or a token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from schemas.codec import codec
from schemas.stamps import Stamp

TEXT_CHARACTERS_MAX = 2_000
DETAIL_CHARACTERS_MAX = 16_000

ActorKind = Literal["cli", "gateway", "token_endpoint", "console", "rule"]
Outcome = Literal["asked", "done", "refused", "failed"]


class AdminRecord(TypedDict):
    """A record of topic `admin`; fields as in `admin.avsc`."""

    admin_id: str
    at: int
    actor_issuer: str
    actor_subject: str
    actor_kind: ActorKind
    action: str
    target: str
    reason: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: through what, and as whom."""

    kind: ActorKind
    subject: str
    issuer: str = ""

    def __str__(self) -> str:
        """What `by` of a control record says: `cli:ann@host`, `rule:NAME`, `gateway`, or `issuer|subject`."""
        if self.kind == "token_endpoint":
            return f"{self.issuer}|{self.subject}"
        return self.kind if self.subject in ("", self.kind) else f"{self.kind}:{self.subject}"


GATEWAY = Actor("gateway", "gateway")


def admin_record(
    stamp: Stamp,
    actor: Actor,
    action: str,
    target: str,
    outcome: Outcome,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> AdminRecord:
    """A record; texts from outside are cut to a bound, and a detail beyond its own is left out and says so."""
    return {
        "admin_id": stamp.id,
        "at": stamp.at,
        "actor_issuer": _cut(actor.issuer),
        "actor_subject": _cut(actor.subject),
        "actor_kind": actor.kind,
        "action": action,
        "target": _cut(target),
        "reason": _cut(reason),
        "outcome": outcome,
        "detail": _detail(detail or {}),
    }


def admin_value(record: AdminRecord) -> bytes:
    """The value for topic `admin`; its key is the actor's subject. Raises CodecError when it does not fit."""
    return codec("admin").encode(record)


def _cut(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()  # a lone surrogate is no text for Avro
    return whole if len(whole) <= TEXT_CHARACTERS_MAX else whole[:TEXT_CHARACTERS_MAX] + "…"


def _detail(detail: Mapping[str, Any]) -> str:
    text = json.dumps(detail, separators=(",", ":"), sort_keys=True)
    return text if len(text) <= DETAIL_CHARACTERS_MAX else json.dumps({"left_out_characters": len(text)})
