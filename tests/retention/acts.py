"""Acts on retention, as the command line, the console and the store sign them."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from schemas.retention import RetentionAct, signed_act
from schemas.retention_rules import canonical_json
from schemas.signatures import SigningKey, TrustedKey

NOW = time.time_ns() // 1_000
CLI, CONSOLE, STORE, STRANGER = b"c" * 32, b"o" * 32, b"s" * 32, b"x" * 32
PEOPLE = frozenset({"proposed", "confirmed", "withdrawn"})
TRUSTED = (
    TrustedKey(SigningKey(CLI).public, "cli", PEOPLE, frozenset({""})),
    TrustedKey(SigningKey(CONSOLE).public, "console", PEOPLE),
    TrustedKey(SigningKey(STORE).public, "retention", frozenset({"started", "lengthened"}), frozenset({""})),
)
ANN = ("https://idp", "ann")
ANN_AT_HOME = ("", "ann@host")
BOB = ("https://idp", "bob")
COMPONENTS = {CLI: "cli", CONSOLE: "console", STORE: "retention", STRANGER: "console"}


def act(
    verb: str, kind: str, content: Any, who: tuple[str, str] = ANN, *, key: bytes = CONSOLE, **facts: Any
) -> RetentionAct:
    """One act; its proposal is a new one unless `facts` say which."""
    fields = {
        "act_id": str(uuid4()),
        "proposal_id": str(uuid4()),
        "at": NOW,
        "act": verb,
        "kind": kind,
        "content": content if isinstance(content, str) else canonical_json(content),
        "who_issuer": who[0],
        "who_subject": who[1],
        "who_aliases": [],
        "alone": False,
        "reason": "because",
        "component": COMPONENTS[key],
        **facts,
    }
    return signed_act(fields, SigningKey(key))


def confirming(proposal: RetentionAct, who: tuple[str, str] = BOB, **facts: Any) -> RetentionAct:
    """`who` confirms exactly that."""
    same = {"proposal_id": proposal["proposal_id"], "at": proposal["at"] + 1, **facts}
    kind, content = same.pop("kind", proposal["kind"]), same.pop("content", proposal["content"])
    return act("confirmed", kind, content, who, **same)


def said(kind: str, content: Any, at: int = NOW) -> tuple[RetentionAct, RetentionAct]:
    """Proposed by ann, confirmed by bob."""
    proposal = act("proposed", kind, content, at=at)
    return proposal, confirming(proposal)
