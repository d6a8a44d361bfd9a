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

from schemas.codec import codec, load_schema
from schemas.frames import header_codec
from tests.schemas.records import NAMES, example

V1 = Path(__file__).parent / "v1"
FROZEN = {
    "audit": "4479641ec0ea95d8",
    "dead_letter": "079373371a7e7d0d",
    "finding": "0f0b7c97b24f0e36",
    "frame": "51d875a0d13a5015",
}
FINGERPRINTS = {
    "audit": "330939678dc5f0e9",
    "dead_letter": "2dc19864de10133b",
    "finding": "ead6f8c69916eb6b",
    "frame": "cc90cd2d9ff8a778",
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
    assert {key: found[key] for key in record} == read(body, frozen(name), frozen(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_of_the_first_version_reads_what_is_written_now(name: str) -> None:
    body = written(load_schema(name), example(name))
    assert read(body, load_schema(name), frozen(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_wire_names_the_same_schema_as_before(name: str) -> None:
    """A change here means that `Codec.decode`, which takes one fingerprint, must first learn to take both."""
    assert codec(name).fingerprint.hex() == FINGERPRINTS[name]


def test_the_chained_fields_are_byte_for_byte_those_of_the_first_version() -> None:
    names = [field["name"] for field in frozen("frame")["fields"]]
    chained = {**frozen("frame"), "fields": frozen("frame")["fields"][: names.index("digest")]}
    record = example("frame")
    assert header_codec().encode_body(record) == written(chained, record)


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
