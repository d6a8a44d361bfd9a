"""What was written under the first version of a schema stays readable under the one in the tree.

`v1/` is frozen: it is what stands on topics and in archives. A field may be added at the end, with a default; a
frozen file is never edited. The chained part of a frame is stricter, because a digest covers its very bytes.
"""

from __future__ import annotations

import copy
import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from schemas.codec import Codec, codec, load_schema
from schemas.control import open_control
from schemas.digests import frame_digest
from schemas.findings import open_finding
from schemas.frames import audit_value, header_bytes, open_frame
from tests.schemas.records import NAMES, example

V1 = Path(__file__).parent / "v1"
FROZEN = {
    "alert_attempt": "eceaaaf82b792aea",
    "admin": "b5bfac18d91d5ece",
    "approval_decided": "0a7b0813e1fca47e",
    "approval_delegated": "a47eb3a147514b4a",
    "approval_delivery": "c1ab18bfc8234394",
    "approval_requested": "4146e26f7fde9039",
    "approval_settled": "8a083dab7fc12c12",
    "audit": "4479641ec0ea95d8",
    "checkpoint": "cbbbedd130dd63a9",
    "control": "df78b1330ab18511",
    "dead_letter": "079373371a7e7d0d",
    "finding": "0f0b7c97b24f0e36",
    "frame": "51d875a0d13a5015",
    "observation": "59e33f7d3c6b31d8",
    "sealed": "a4d82d94f0fbb026",
    "tombstone": "fec66017bef140f7",
    "retention_act": "4d5eca14d057f1fd",
}
FINGERPRINTS = {
    "alert_attempt": "cd5b735949e244d4",
    "admin": "6f371256d851afbb",
    "approval_decided": "4badfaadb0f916c9",
    "approval_delegated": "a0e91ef92d8d9705",
    "approval_delivery": "1dd751e53973ddc4",
    "approval_requested": "8d04b9d7c0056b6e",
    "approval_settled": "282ee362142c7f6f",
    "audit": "4da423ab90c48178",
    "checkpoint": "057c290cb11a6cea",
    "control": "cef6c87eadb0b622",
    "dead_letter": "2dc19864de10133b",
    "finding": "0f05e92ef484ce4f",
    "frame": "dd100e1559ce65b6",
    "observation": "730c833261ad0c9b",
    "sealed": "cb6522487f800d1b",
    "tombstone": "8f3be1ee66e00db5",
    "retention_act": "843e7742409c2c4f",
}


def frozen(name: str) -> dict[str, Any]:
    """Version 1 of a schema."""
    schema: dict[str, Any] = json.loads((V1 / f"{name}.avsc").read_text(encoding="utf-8"))
    return schema


def written(schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(schema), record)
    return out.getvalue()


def read(body: bytes, writer: dict[str, Any], reader: dict[str, Any]) -> dict[str, Any]:
    record: Any = schemaless_reader(io.BytesIO(body), parse_schema(writer), parse_schema(reader))
    assert isinstance(record, dict)
    return record


@pytest.mark.parametrize("name", NAMES)
def test_the_frozen_schemas_are_as_they_were_released(name: str) -> None:
    assert sha256((V1 / f"{name}.avsc").read_bytes()).hexdigest()[:16] == FROZEN[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_reads_what_its_first_version_wrote(name: str) -> None:
    record = example(name)
    body = written(frozen(name), record)
    found = read(body, frozen(name), load_schema(name))
    first = {field["name"] for field in frozen(name)["fields"]}
    assert {key: found[key] for key in record if key in first} == read(body, frozen(name), frozen(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_of_the_first_version_reads_what_is_written_now(name: str) -> None:
    body = written(load_schema(name), example(name))
    assert read(body, load_schema(name), frozen(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_wire_names_the_same_schema_as_before(name: str) -> None:
    """A change here means that the version before must lie beside the schema as `NAME.VERSION.avsc`."""
    assert codec(name).fingerprint.hex() == FINGERPRINTS[name]


@pytest.mark.parametrize("name", ["frame", "audit"])
def test_what_the_first_version_wrote_is_decoded_and_its_new_fields_have_their_defaults(name: str) -> None:
    value = Codec(frozen(name)).encode(example(name))
    record = codec(name).decode(value)
    assert record["attributes"] == {}
    assert str(record["exchange_id"]) == example(name)["exchange_id"]


def test_a_finding_of_the_first_version_was_raised_once() -> None:
    found = open_finding(Codec(frozen("finding")).encode(example("finding")))
    told = ("act", "count", "attributes", "by", "comment", "verdict")
    assert [found[name] for name in told] == ["raised", 1, {}, "", "", ""]  # type: ignore[literal-required]
    assert found["raised_at"] == example("finding")["raised_at"]
    assert found["finding_id"] == example("finding")["finding_id"]


def test_a_control_record_of_the_first_version_answers_no_finding() -> None:
    record = example("control")
    value = Codec(frozen("control")).encode(record)
    assert open_control(record["target"].encode(), value)["cause"] == ""


def test_a_frame_of_the_first_version_keeps_its_chain_on_the_way_to_audit() -> None:
    names = [field["name"] for field in frozen("frame")["fields"]]
    chained = {**frozen("frame"), "fields": frozen("frame")["fields"][: names.index("digest")]}
    record = example("frame")
    head = written(chained, record)
    record["digest"] = frame_digest(head)
    frame = open_frame(Codec(frozen("frame")).encode(record))
    assert frame.header == head == header_bytes(frame.record)
    audited = codec("audit").decode(audit_value(frame, partition=1, offset=2))
    assert header_bytes(audited) == head  # type: ignore[arg-type]
    assert audited["frames_offset"] == 2


def test_the_earlier_versions_kept_in_the_tree_are_the_released_ones() -> None:
    for name in ("frame", "audit", "finding", "control", "admin"):
        assert [Codec(frozen(name)).prefix] == list(codec(name).prefixes[1:])


def test_an_audit_record_begins_with_all_fields_of_a_frame() -> None:
    frame, audit = load_schema("frame")["fields"], load_schema("audit")["fields"]
    assert audit[: len(frame)] == frame


BREAKING = {
    "a field without default": lambda fields: fields.append({"name": "extra", "type": "string"}),
    "a field of another type": lambda fields: fields[0].update(type="long"),
    "a field under another name": lambda fields: fields[1].update(name="renamed"),
    "a symbol less": lambda fields: next(
        f for f in fields if isinstance(f["type"], dict) and f["type"]["type"] == "enum"
    )["type"]["symbols"].remove("response"),
}


@pytest.mark.parametrize("edit", BREAKING.values(), ids=BREAKING)
def test_an_edit_that_breaks_readers_would_be_found(edit: Any) -> None:
    schema = copy.deepcopy(frozen("frame"))
    edit(schema["fields"])
    with pytest.raises((SchemaResolutionError, ValueError, TypeError)):
        read(written(frozen("frame"), example("frame")), frozen("frame"), schema)
