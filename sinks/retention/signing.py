"""What the store says in its own name, signed: tombstones, and what the file says where people have said nothing."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal
from uuid import UUID

from schemas.retention import RetentionAct, signed_act
from schemas.retention_book import Book, InForce, Proposal
from schemas.retention_content import rules_content
from schemas.retention_rules import Rules
from schemas.signatures import SigningKey
from schemas.tombstones import COMPONENT, Tombstone, What, Why, signed_tombstone, tombstone_id
from sinks.retention.store import Run


def file_act(book: Book, rules: Rules, at: int, key: SigningKey) -> RetentionAct | None:
    """What the file adds to what holds: rules where there are none, longer times where it says longer ones.

    None where it adds nothing: shorter times need people, and rules that held once are an old copy of the file.
    """
    now = book.in_force
    if now is None:
        return _act("started", "", rules, at, key)
    longest = now.rules.longest(rules)
    if longest.same_as(now.rules) or book.was_in_force(rules):
        return None
    return _act("lengthened", now.rules.version, longest, at, key)


def tombstones_of(
    runs: Iterable[Run],
    what: What,
    at: int,
    key: SigningKey,
    *,
    in_force: InForce,
    erasure: Proposal | None = None,
) -> list[Tombstone]:
    """A tombstone for each run: expired by the rules, or erased by `erasure`."""
    why: Why = "erased" if erasure else "expired"
    asked_by = erasure.asked_by if erasure else list(in_force.asked_by)
    found = []
    for run in runs:
        said = {
            "at": at,
            "what": what,
            "why": why,
            "connection": run.connection,
            "partition": run.partition,
            "first_offset": run.first,
            "last_offset": run.last,
            "count": run.last - run.first + 1,
            "leaves_sha256": run.leaves_sha256,
            "policy_version": in_force.rules.version,
            "cause": erasure.id if erasure else in_force.cause,
            "asked_by": asked_by,
        }
        found.append(signed_tombstone({"tombstone_id": tombstone_id(said), **said}, key))
    return found


def _act(
    act: Literal["started", "lengthened"], base: str, rules: Rules, at: int, key: SigningKey
) -> RetentionAct:
    content = rules_content(base, rules)
    said = f"sluicegate:retention:1\0{act}\0{content}".encode()
    number = int.from_bytes(sha256(said).digest()[:16]) & ~(0xF << 76) & ~(0x3 << 62)
    act_id = str(UUID(int=number | 8 << 76 | 2 << 62))
    fields = {
        "act_id": act_id,
        "proposal_id": act_id,
        "at": at,
        "act": act,
        "kind": "rules",
        "content": content,
        "who_issuer": "",
        "who_subject": COMPONENT,
        "who_aliases": [],
        "alone": False,
        "reason": "",
        "component": COMPONENT,
    }
    return signed_act(fields, key)
