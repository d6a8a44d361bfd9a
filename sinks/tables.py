"""Which topic goes into which table: the schemas of its values, what of a value is looked at, what makes it unfit."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from schemas.codec import schema_versions
from sinks.avro import UnfitError, WriterSchemas

# DateTime64(6) holds more, but a frame recorded before 2020 or after 2100 is a fault, and its partition a stray.
_RECORDED_MIN_US = 1_577_836_800_000_000
_RECORDED_MAX_US = 4_102_444_800_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """One topic, the table its records are stored in, and the schemas they may be written with."""

    topic: str
    table: str
    schemas: WriterSchemas
    has_identity: bool

    def identity(self, value: bytes | None) -> tuple[bytes, tuple[str, int] | None]:
        """(fingerprint, identity) of `value`: (lane, lane_seq) for a frame, None where the table needs none.

        Raises UnfitError when the store could not take the value.
        """
        schema = self.schemas.of(value)
        record = schema.read(value or b"")
        if not self.has_identity:
            return schema.fingerprint, None
        _check_frame(record)
        return schema.fingerprint, (record["lane"], record["lane_seq"])


def frames_target(topic: str, schemas: Iterable[dict[str, Any]] | None = None) -> Target:
    """Deep-masked frames; `schemas` are those of `audit.avsc` and its earlier versions unless given."""
    look = ("lane", "lane_seq", "part", "parts", "recorded_at", "elapsed_us", "http_status", "body_bytes")
    known = schema_versions("audit") if schemas is None else schemas
    return Target(topic, "frames_stored", WriterSchemas(known, look), has_identity=True)


def findings_target(topic: str) -> Target:
    """Acts of findings, one row each."""
    return _plain_target(topic, "finding_acts_stored", "finding", "finding_id", "raised_at")


def admin_target(topic: str) -> Target:
    """What operators did, one row an act."""
    return _plain_target(topic, "admin_stored", "admin", "admin_id", "at")


def sealed_target(topic: str) -> Target:
    """Sealed originals, one row a piece."""
    look = ("frame_id", "exchange_id", "recorded_at", "expires_at")
    return _plain_target(topic, "sealed_stored", "sealed", *look)


def requested_target(topic: str) -> Target:
    """Requests for approvals; their arguments are no column."""
    return _plain_target(
        topic, "approvals_requested_stored", "approval_requested", "approval_id", "requested_at"
    )


def decided_target(topic: str) -> Target:
    """Decisions on approvals, one row each."""
    return _plain_target(topic, "approvals_decided_stored", "approval_decided", "decision_id", "approval_id")


def settled_target(topic: str) -> Target:
    """What was settled of approvals, one row a version."""
    look = ("settled_id", "approval_id", "version")
    return _plain_target(topic, "approvals_settled_stored", "approval_settled", *look)


def alerts_target(topic: str) -> Target:
    """Attempts to tell somebody of findings, one row each."""
    return _plain_target(topic, "alerts_stored", "alert_attempt", "attempt_id", "at")


def tombstones_target(topic: str) -> Target:
    """What is forgotten, one row a run."""
    return _plain_target(topic, "tombstones_stored", "tombstone", "tombstone_id", "at")


def retention_target(topic: str) -> Target:
    """What people said about how long the trail is kept."""
    return _plain_target(topic, "retention_acts_stored", "retention_act", "act_id", "at")


def checkpoints_target(topic: str) -> Target:
    """Signed tree heads over the trail, and where they are anchored."""
    return _plain_target(topic, "checkpoints_stored", "checkpoint", "at", "tree_size")


def _plain_target(topic: str, table: str, schema: str, *look: str) -> Target:
    return Target(topic, table, WriterSchemas(schema_versions(schema), look), has_identity=False)


def _check_frame(record: dict[str, Any]) -> None:
    """Refuses numbers that the columns would store as others."""
    if not _RECORDED_MIN_US <= record["recorded_at"] < _RECORDED_MAX_US:
        raise UnfitError("out_of_range", "recorded_at lies outside 2020 to 2100")
    if not 0 <= record["http_status"] <= 999:
        raise UnfitError("out_of_range", "http_status is no HTTP status")
    if not 1 <= record["part"] <= record["parts"]:
        raise UnfitError("out_of_range", "part is not between 1 and parts")
    if min(record["lane_seq"], record["elapsed_us"], record["body_bytes"]) < 0:
        raise UnfitError("out_of_range", "lane_seq, elapsed_us or body_bytes is negative")
