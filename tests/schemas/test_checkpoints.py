"""Checkpoints: which leaf a record is, and that a record says the same in its note, its fields and its leaves."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, cast

import pytest

from schemas.checkpoints import (
    CheckpointRecord,
    anchor_record,
    checkpoint_key,
    checkpoint_record,
    checkpoint_value,
    leaf_of,
    leaves_of,
    open_checkpoint,
    origin_of,
    tree_head,
)
from schemas.codec import CodecError, codec, load_schema
from schemas.frames import audit_value, open_frame
from schemas.merkle import leaf_hash, root_of
from schemas.notes import Note, NoteKey, open_head, open_note
from tests.schemas.records import chain, example

ORIGIN = origin_of("sluicegate.example.com", "audit", 2)
KEY = NoteKey(ORIGIN, bytes(range(32)))
LEAVES = [leaf_hash(bytes([number]) * 32) for number in range(3)]
AT = 1_790_000_000_123_456


def signed() -> CheckpointRecord:
    head = tree_head(ORIGIN, 3, root_of(LEAVES), 0, AT)
    note = str(Note(head.text, (KEY.sign(head.text),)))
    return checkpoint_record(head, note, topic="audit", partition=2, base_offset=0, leaves=LEAVES[1:], at=AT)


def test_a_checkpoint_comes_back_as_it_was_signed() -> None:
    record = signed()
    found = open_checkpoint(checkpoint_value(record))
    assert found == record
    assert leaves_of(found) == LEAVES[1:]
    assert found["first_index"] == 1
    assert checkpoint_key(found) == b"audit-2"
    note = open_note(found["note"])
    assert KEY.log.signed(note)
    assert open_head(note.text).extension("time") == "2026-09-21T14:13:20Z"


def test_the_example_is_a_checkpoint_signed_by_its_log() -> None:
    record = open_checkpoint(codec("checkpoint").encode(example("checkpoint")))
    assert record["origin"] == ORIGIN
    assert KEY.log.signed(open_note(record["note"]))


def test_an_anchor_says_which_checkpoint_lies_where_and_has_no_leaves() -> None:
    record = anchor_record(signed(), "s3", "s3://b/k", b"{}", note=signed()["note"], at=AT + 1)
    found = open_checkpoint(checkpoint_value(record))
    assert (found["kind"], found["anchor_kind"], found["place"], found["evidence"]) == (
        "anchor",
        "s3",
        "s3://b/k",
        b"{}",
    )
    assert (found["tree_size"], found["root_hash"]) == (3, root_of(LEAVES))
    assert leaves_of(found) == []


def test_the_typed_record_names_the_fields_of_its_schema_in_order() -> None:
    assert [field["name"] for field in load_schema("checkpoint")["fields"]] == list(
        CheckpointRecord.__annotations__
    )


BENT: dict[str, dict[str, Any]] = {
    "another size": {"tree_size": 4, "first_index": 2},
    "another root": {"root_hash": bytes(32)},
    "another log": {"origin": "other/audit/2"},
    "another base": {"base_offset": 1},
    "a leaf less": {"leaves": LEAVES[1]},
    "half a leaf": {"leaves": LEAVES[1][:16]},
    "no note": {"note": ""},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT)
def test_a_record_that_says_something_else_than_its_note_is_refused(bent: dict[str, Any]) -> None:
    value = checkpoint_value(cast("CheckpointRecord", {**signed(), **bent}))
    with pytest.raises(CodecError):
        open_checkpoint(value)


def test_the_leaf_of_a_record_is_that_of_its_audit_digest() -> None:
    frame = open_frame(chain([b"body"])[0])
    value = audit_value(frame, partition=1, offset=7)
    digest = codec("audit").decode(value)["audit_digest"]
    assert leaf_of(value) == leaf_hash(digest)


@pytest.mark.parametrize("value", [None, b"", b"poison", codec("audit").prefix + b"short"])
def test_what_is_no_record_has_a_leaf_of_its_own(value: bytes | None) -> None:
    named = sha256(b"sluicegate:unreadable:1" + (value or b"")).digest()
    assert leaf_of(value) == leaf_hash(named)
