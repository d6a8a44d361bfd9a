"""Only the approvals processor settles: what it has not signed is not believed, and a person hears of it."""

from collections.abc import Callable
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.edge.approvals.metrics import METRICS
from gateway.edge.tokens.strangers import Strangers
from schemas.approvals import SETTLED_SCHEMA, ApprovalSettled, open_settled
from schemas.codec import CodecError
from schemas.findings import FindingRecord, finding_record
from schemas.signatures import KeyRing, TrustedKey

SETTLE = "settle"
RULE = "approval-forged"
PER_SECOND, BURST = 0.1, 20

Tell = Callable[[FindingRecord], None]
"""Takes a finding; it must not block."""

log = structlog.get_logger("approvals")


def untold(_: FindingRecord) -> None:
    """Nobody is told; the log and the metrics are all there is."""


class Belief:
    """Opens settled records. `machine_public`: the key (32 bytes) that they are believed with.

    Raises ValueError for a key of another length.
    """

    def __init__(self, machine_public: bytes, tell: Tell) -> None:
        Ed25519PublicKey.from_public_bytes(machine_public)
        self._ring = KeyRing([TrustedKey(machine_public, "machine", frozenset({SETTLE}))])
        self._tell = tell
        self._room = Strangers(per_second=PER_SECOND, burst=BURST)

    def opened(self, row: Any) -> ApprovalSettled | None:
        """The record of a row of the topic; None when it is not the processor's."""
        place = f"{row.topic}-{row.partition}-{row.offset}"
        try:
            record = open_settled(row.key, row.value or b"")
        except CodecError as error:
            METRICS.ignored.labels("unreadable").inc()
            log.error("settled_record_ignored", place=place, fault=str(error))  # noqa: TRY400
            return None
        fault = self._ring.fault(SETTLED_SCHEMA, record, SETTLE, "")
        if not fault:
            return record
        self._refuse(record, place, fault, row.timestamp)
        return None

    def _refuse(self, record: ApprovalSettled, place: str, fault: str, at_ms: int) -> None:
        METRICS.ignored.labels("forged").inc()
        log.error("settled_record_forged", place=place, fault=fault)
        if not self._room.has_room():
            return
        missed = self._room.take_untold()
        title = f"A settled record of an approval was refused: {fault}" + (
            f"; {missed} more were only counted" if missed else ""
        )
        evidence = [record["approval_id"], place, f"key: {record['key_id'][:64]}", fault]
        at = at_ms * 1_000  # of the record: every replica then raises the same finding
        self._tell(finding_record(RULE, "critical", title, evidence, raised_at=at))
