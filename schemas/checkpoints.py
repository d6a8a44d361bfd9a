"""Checkpoints: signed tree heads over the records of a topic-partition, and their anchors. Records of `checkpoints`.

Leaf i of a log is the record at offset base_offset + i of its partition:

    leaf = SHA-256(0x00 ‖ audit_digest)                              of a record of topic `audit`
    leaf = SHA-256(0x00 ‖ SHA-256("sluicegate:unreadable:1" ‖ value))  of anything else that lies there
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Literal, TypedDict, cast

from schemas.codec import PREFIX_BYTES, CodecError, codec
from schemas.merkle import HASH_BYTES, leaf_hash, split_hashes
from schemas.notes import NoteError, TreeHead, open_head, open_note

TOPIC = "checkpoints"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Kind = Literal["checkpoint", "anchor"]
AnchorKind = Literal["", "file", "s3", "rfc3161", "witness"]


class CheckpointRecord(TypedDict):
    """A record of topic `checkpoints`; fields as in `checkpoint.avsc`."""

    kind: Kind
    at: int
    origin: str
    topic: str
    partition: int
    base_offset: int
    first_index: int
    leaves: bytes
    tree_size: int
    root_hash: bytes
    note: str
    anchor_kind: AnchorKind
    place: str
    evidence: bytes


def leaf_of(value: bytes | None) -> bytes:
    """The leaf hash of a record of topic `audit`, whose last field is its `audit_digest`."""
    content = value or b""
    if content[:PREFIX_BYTES] in _audit_prefixes() and len(content) >= PREFIX_BYTES + HASH_BYTES:
        return leaf_hash(content[-HASH_BYTES:])
    return leaf_hash(sha256(b"sluicegate:unreadable:1" + content).digest())


def origin_of(name: str, topic: str, partition: int) -> str:
    """The origin line of a log: NAME/TOPIC/PARTITION; also the name of the key that signs it."""
    return f"{name}/{topic}/{partition}"


def tree_head(origin: str, size: int, root: bytes, base_offset: int, at: int) -> TreeHead:
    """What a checkpoint of ours says; `at` is UTC in microseconds."""
    moment = (_EPOCH + timedelta(microseconds=at)).replace(microsecond=0)
    time = moment.isoformat().replace("+00:00", "Z")
    return TreeHead(origin, size, root, (f"base {base_offset}", f"time {time}"))


def checkpoint_record(
    head: TreeHead,
    note: str,
    *,
    topic: str,
    partition: int,
    base_offset: int,
    leaves: Sequence[bytes],
    at: int,
) -> CheckpointRecord:
    """That `head` was signed; `leaves` are the newest of its tree."""
    return {
        "kind": "checkpoint",
        "at": at,
        "origin": head.origin,
        "topic": topic,
        "partition": partition,
        "base_offset": base_offset,
        "first_index": head.size - len(leaves),
        "leaves": b"".join(leaves),
        "tree_size": head.size,
        "root_hash": head.root,
        "note": note,
        "anchor_kind": "",
        "place": "",
        "evidence": b"",
    }


def anchor_record(
    of: CheckpointRecord, kind: AnchorKind, place: str, evidence: bytes, *, note: str, at: int
) -> CheckpointRecord:
    """That `place` has the checkpoint `of`; `note` is its note with what witnesses added."""
    anchored = {
        "kind": "anchor",
        "at": at,
        "note": note,
        "anchor_kind": kind,
        "place": place,
        "evidence": evidence,
    }
    return cast("CheckpointRecord", {**of, "first_index": of["tree_size"], "leaves": b"", **anchored})


def checkpoint_key(record: CheckpointRecord) -> bytes:
    """The key on topic `checkpoints`: TOPIC-PARTITION."""
    return f"{record['topic']}-{record['partition']}".encode()


def checkpoint_value(record: CheckpointRecord) -> bytes:
    """The value for topic `checkpoints`. Raises CodecError when it does not fit."""
    return codec("checkpoint").encode(record)


def open_checkpoint(value: bytes | None) -> CheckpointRecord:
    """The record in a value. Raises CodecError for anything else, also where its note or its leaves say something
    else than its fields. Whether the signature fits is another question."""
    found = codec("checkpoint").decode(value or b"")
    found["at"] = (found["at"] - _EPOCH) // timedelta(microseconds=1)
    record = cast("CheckpointRecord", found)
    if fault := _fault(record):
        raise CodecError(f"broken checkpoint: {fault}")
    return record


def leaves_of(record: CheckpointRecord) -> list[bytes]:
    """The leaf hashes of `record`."""
    return split_hashes(record["leaves"])


def _fault(record: CheckpointRecord) -> str:
    try:
        head = open_head(open_note(record["note"]).text)
        count = len(leaves_of(record))
    except (NoteError, ValueError) as error:
        return str(error)
    said = (record["origin"], record["tree_size"], record["root_hash"], str(record["base_offset"]))
    if (head.origin, head.size, head.root, head.extension("base")) != said:
        return "the note says something else than the record"
    if record["first_index"] < 0 or record["first_index"] + count != record["tree_size"]:
        return "its leaves do not end at its size"
    return ""


@cache
def _audit_prefixes() -> frozenset[bytes]:
    return frozenset(codec("audit").prefixes)
