"""From the bytes on the topics to what the machine takes. What is not believed never reaches it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka.partitioner import murmur2

from processors.approvals import telling
from processors.approvals.happening import Asked, Said
from processors.approvals.telling import Raised
from processors.masking_step import Rejected
from processors.records import Incoming
from schemas.approvals import (
    DECISION_SCHEMA,
    DELEGATION_SCHEMA,
    NOBODY,
    REQUEST_SCHEMA,
    ApprovalDecision,
    ApprovalRequest,
    open_decision,
    open_request,
)
from schemas.codec import CodecError
from schemas.signatures import KeyRing

REQUESTED = "approvals.requested"
REQUEST, DELEGATE, TICK = "request", "delegate", "tick"


class Tick(NamedTuple):
    """It is `at` (UTC in microseconds) in this partition."""

    at: int
    partition: int


def read(record: Incoming, ring: KeyRing, partitions: int) -> Asked | Said | Tick | Raised | Rejected:
    """A believed record, a finding for a forged one, or why it is a dead letter.

    A record on another partition than its key's is rejected: there it would live a second life.
    """
    place = f"{record.topic}-{record.partition}-{record.offset}"
    try:
        if record.topic == REQUESTED:
            request = open_request(record.key, record.value or b"")
            return _misplaced(record, partitions) or _request(request, ring, place, record.partition)
        decision = open_decision(record.key, record.value or b"")
    except CodecError as error:
        return Rejected("undecodable", str(error))
    if decision["verb"] == TICK:
        return _tick(decision, ring, place, record.partition)
    return _misplaced(record, partitions) or _decision(decision, ring, place, record)


def partition_of(key: bytes, partitions: int) -> int:
    """Where every producer puts the key: Kafka's default."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def _misplaced(record: Incoming, partitions: int) -> Rejected | None:
    own = partition_of(record.key or b"", partitions)
    if record.partition == own:
        return None
    return Rejected("wrong_partition", f"its key belongs to partition {own}")


def _request(request: ApprovalRequest, ring: KeyRing, place: str, partition: int) -> Asked | Raised:
    fault = ring.fault(REQUEST_SCHEMA, request, REQUEST, request["principal_issuer"])
    return _forged("request", fault, request, place, request["requested_at"]) or Asked(
        request, place, partition
    )


def _decision(decision: ApprovalDecision, ring: KeyRing, place: str, record: Incoming) -> Said | Raised:
    fault = ring.fault(DECISION_SCHEMA, decision, decision["verb"], decision["who_issuer"])
    given = decision["delegation"]
    if given is not None and not fault:
        fault = ring.fault(DELEGATION_SCHEMA, given, DELEGATE, given["from_issuer"])
        fault = fault and f"delegation: {fault}"
    forged = _forged("decision", fault, decision, place, decision["at"])
    return forged or Said(decision, place, record.partition, record.offset)


def _tick(decision: ApprovalDecision, ring: KeyRing, place: str, partition: int) -> Tick | Raised:
    fault = ring.fault(DECISION_SCHEMA, decision, TICK, "")
    if not fault and decision["approval_id"] != NOBODY:
        fault = "a tick that is about an approval"
    return _forged("tick", fault, decision, place, decision["at"]) or Tick(decision["at"], partition)


def _forged(what: str, fault: str, record: Mapping[str, Any], place: str, at: int) -> Raised | None:
    if not fault:
        return None
    evidence = [record["approval_id"], place, f"key: {record['key_id'][:64]}", fault]
    title = f"A {what} on an approval was refused: {fault}"
    return telling.raised(telling.FORGED, title, evidence, at)
