"""Tombstones: what of the trail is forgotten, said and signed before it goes.

Records of topic `tombstones`, keyed by the partition. Each names a run of offsets of topic `audit` without a hole,
so that a check of the trail can tell what expired by the rules from what somebody took away. Their ids come from
what they say: a repeat after a crash is the same tombstone.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal, TypedDict, cast
from uuid import UUID

from schemas.approvals import plain
from schemas.codec import CodecError, codec
from schemas.signatures import KeyRing, SigningKey, TrustedKey, signed

TOMBSTONES: Final = "tombstones"
SCHEMA: Final = "tombstone"
COMPONENT: Final = "retention"
VERB: Final = "forget"
SEVERAL: Final = "*"
"""The connection of a run that holds rows of several."""

What = Literal["row", "body"]
Why = Literal["expired", "erased"]


class Tombstone(TypedDict):
    """A record of topic `tombstones`; fields as in `tombstone.avsc`. `at` is UTC in microseconds."""

    tombstone_id: str
    at: int
    what: What
    why: Why
    connection: str
    partition: int
    first_offset: int
    last_offset: int
    count: int
    leaves_sha256: bytes
    policy_version: str
    cause: str
    asked_by: list[str]
    key_id: str
    signature: bytes


def tombstone_key(partition: int) -> str:
    """The Kafka key of tombstones for a partition of topic `audit`."""
    return str(partition)


def tombstone_id(said: Mapping[str, Any]) -> str:
    """The id of a tombstone that says this (its fields, `at` aside), as a UUID of version 8 (RFC 9562)."""
    names = ("what", "why", "partition", "first_offset", "last_offset", "cause")
    text = "\0".join(["sluicegate:tombstone:1", *(str(said[name]) for name in names)])
    number = int.from_bytes(sha256(text.encode()).digest()[:16])
    number = number & ~(0xF << 76) | (8 << 76)
    return str(UUID(int=number & ~(0x3 << 62) | (0x2 << 62)))


def leaves_digest(audit_digests: Iterable[bytes]) -> bytes:
    """`leaves_sha256` of the rows with these digests, in the order of their offsets: 32 bytes."""
    whole = sha256()
    for digest in audit_digests:
        whole.update(sha256(b"\0" + digest).digest())
    return whole.digest()


def signed_tombstone(fields: Mapping[str, Any], key: SigningKey) -> Tombstone:
    """A tombstone from all its fields but the last two. Raises CodecError when they do not fit."""
    return cast("Tombstone", signed(SCHEMA, fields, key))


def tombstone_value(record: Tombstone) -> bytes:
    """The value for topic `tombstones`. Raises CodecError when it does not fit."""
    return codec(SCHEMA).encode(record)


def open_tombstone(value: bytes) -> Tombstone:
    """The tombstone in a value. Raises CodecError for anything else. The signature is not looked at."""
    record = {name: plain(found) for name, found in codec(SCHEMA).decode(value).items()}
    first, last = record["first_offset"], record["last_offset"]
    if not 0 <= first <= last or record["count"] != last - first + 1:
        raise CodecError("broken tombstone: its offsets and its count do not fit")
    return cast("Tombstone", record)


def retention_key(public: bytes) -> TrustedKey:
    """The key that tombstones are believed with, from its 32 public bytes."""
    return TrustedKey(public, COMPONENT, frozenset({VERB}))


def tombstone_fault(ring: KeyRing, record: Tombstone) -> str:
    """Why a tombstone is not believed; '' when it is."""
    return ring.fault(SCHEMA, {**record, "component": COMPONENT}, VERB, "")
