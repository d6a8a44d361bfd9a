"""What the topics say of the approvals once all is over: of each, one chain of settled records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from console.standing import read_through
from schemas.approvals import SETTLED, SETTLED_SCHEMA, ApprovalSettled, open_settled
from schemas.kafka import KafkaAddress
from schemas.signatures import KeyRing, TrustedKey

NEXT = {
    "": {"pending"},
    "pending": {"pending", "approved", "denied", "expired", "revoked"},
    "approved": {"approved", "used", "expired", "revoked"},
    "denied": {"denied"},
    "expired": {"expired"},
    "revoked": {"revoked"},
    "used": {"used"},
}
ENDS = {"denied", "expired", "revoked", "used"}

Chains = dict[str, list[ApprovalSettled]]


async def chains(kafka: KafkaAddress, machine: TrustedKey) -> tuple[Chains, list[str]]:
    """By approval, its records in the order of the log, each once; and what is wrong with them."""
    ring, found, faults = KeyRing([machine]), defaultdict[str, list[ApprovalSettled]](list), list[str]()
    written: dict[str, bytes] = {}
    for key, value in await read_through(kafka, SETTLED):
        record = open_settled(key, value)
        if fault := ring.fault(SETTLED_SCHEMA, record, "settle", ""):
            faults.append(f"{record['approval_id']}: {fault}")
        before = written.setdefault(record["settled_id"], value)
        if before is value:
            found[record["approval_id"]].append(record)
        elif before != value:
            faults.append(f"{record['approval_id']}: settled twice in two ways")
    for approval_id, chain in found.items():
        faults += [f"{approval_id}: {fault}" for fault in broken_links(chain)]
    return found, faults


def broken_links(chain: list[ApprovalSettled]) -> Iterable[str]:
    """What is wrong with the records of one approval, in the order of the log."""
    state, version = "", 0
    for record in chain:
        if record["version"] != version + 1 and version:
            yield f"version {record['version']} after {version}"
        if record["state"] not in NEXT[state]:
            yield f"{record['state']} after {state or 'nothing'}"
        state, version = record["state"], record["version"]
    uses = [record["use_id"] for record in chain if record["use_id"]]
    if len(uses) > 1:
        yield f"let {len(uses)} exchanges run"
    if state not in ENDS:
        yield f"is {state} at the end"


def used(chains: Chains) -> int:
    """How many let an exchange run."""
    return sum(any(record["use_id"] for record in chain) for chain in chains.values())
