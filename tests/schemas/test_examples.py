"""Every schema has an example, and every example is a record of its schema."""

from __future__ import annotations

from importlib.resources import files

import pytest
from fastavro.validation import validate

from schemas.codec import codec, load_schema
from schemas.digests import audit_digest, body_commitment, frame_digest
from schemas.frames import FrameAudited, FrameRecorded, _processing_codec, header_bytes, open_frame
from tests.schemas.records import NAMES, example


def test_every_schema_has_an_example_and_every_example_a_schema() -> None:
    def stems(folder: str) -> set[str]:
        return {entry.name.partition(".")[0] for entry in files("schemas").joinpath(folder).iterdir()}

    assert stems("avro") == stems("examples") == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_fits_its_schema_and_lacks_nothing(name: str) -> None:
    record, schema = example(name), load_schema(name)
    assert set(record) == {field["name"] for field in schema["fields"]}
    assert validate(record, schema, raise_errors=True)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_survives_the_way_to_bytes_and_back(name: str) -> None:
    value = codec(name).encode(example(name))
    assert codec(name).encode(codec(name).decode(value)) == value


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_explained(name: str) -> None:
    schema = load_schema(name)
    assert schema["doc"]
    assert [field["name"] for field in schema["fields"] if not field.get("doc")] == []


def test_the_typed_records_name_the_fields_of_their_schemas_in_order() -> None:
    for name, typed in (("frame", FrameRecorded), ("audit", FrameAudited)):
        fields = [field["name"] for field in load_schema(name)["fields"]]
        inherited = [key for base in reversed(typed.__mro__) for key in getattr(base, "__annotations__", {})]
        assert fields == list(dict.fromkeys([*FrameRecorded.__annotations__, *inherited]))


def test_the_example_frame_is_a_sealed_one() -> None:
    record = open_frame(codec("frame").encode(example("frame"))).record
    assert body_commitment(record["body_salt"], record["body"]) == record["body_commitment"]
    for found in record["redactions"]:
        assert record["body"][found["start"] : found["end"]] == found["pseudonym"].encode()


def test_the_example_audit_record_is_the_example_frame_masked_deeper() -> None:
    frame, audited = example("frame"), example("audit")
    changed = {name for name in frame if frame[name] != audited[name]}
    assert changed == {"body", "body_salt"}
    assert audited["body_salt"] == b""
    head = header_bytes(audited)  # type: ignore[arg-type]
    assert frame_digest(head) == audited["digest"]
    processing = _processing_codec().encode_body(audited)
    assert audit_digest(audited["digest"], processing, audited["body"]) == audited["audit_digest"]
