"""Deliveries: where an approval was told, so that nobody is told twice. Records of topic `approvals.deliveries`.

The latest record of a key holds; a tombstone says that nothing is left to be told.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, cast

from schemas.codec import CodecError, codec

TOPIC = "approvals.deliveries"
SCHEMA = "approval_delivery"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ApprovalDelivery(TypedDict):
    """A record of topic `approvals.deliveries`; fields as in `approval_delivery.avsc`. `at`: UTC in microseconds."""

    approval_id: str
    integration: str
    at: int
    place: str
    external_id: str
    told: str


def delivery_key(approval_id: str, integration: str) -> bytes:
    """`APPROVAL_ID-INTEGRATION`."""
    return f"{approval_id}-{integration}".encode()


def delivery_value(record: ApprovalDelivery) -> bytes:
    """The value for `approvals.deliveries`. Raises CodecError when it does not fit."""
    return codec(SCHEMA).encode(record)


def open_delivery(key: bytes | None, value: bytes) -> ApprovalDelivery:
    """The record that lies under `key`. Raises CodecError for anything else."""
    found: dict[str, Any] = codec(SCHEMA).decode(value)
    record = {
        **found,
        "approval_id": str(found["approval_id"]),
        "at": (found["at"] - _EPOCH) // timedelta(microseconds=1),
    }
    if key != delivery_key(record["approval_id"], record["integration"]):
        raise CodecError(f"broken {SCHEMA}: the key and the fields do not say the same")
    return cast("ApprovalDelivery", record)
