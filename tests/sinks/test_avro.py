"""A checked look into values, and many of them as one container."""

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import PREFIX_BYTES, Codec, load_schema, schema_versions
from sinks.avro import Placed, UnfitError, WriterSchemas
from tests.sinks.records import Trail, identifier

LOOK = ("lane", "lane_seq")


def known() -> WriterSchemas:
    return WriterSchemas(schema_versions("audit"), LOOK)


def test_a_look_gives_the_named_fields_of_a_frame() -> None:
    value = Trail(lane="gw/b/0/3", seq=6).frame(b"body")

    record = known().of(value).read(value)

    assert (record["lane"], record["lane_seq"]) == ("gw/b/0/3", 7)
    assert "body" not in record


def test_a_container_holds_the_values_as_they_were_with_their_positions() -> None:
    trail = Trail()
    values = [
        trail.frame(b"one", tool="a"),
        trail.frame(b"\xff\x00", tool_is_error=True, jsonrpc_error=-32000),
    ]
    schema = known().of(values[0])

    rows: list[Any] = list(
        fastavro.reader(
            io.BytesIO(schema.container([Placed(3, 70 + i, value) for i, value in enumerate(values)]))
        )
    )

    assert [(row["k_partition"], row["k_offset"], row["body"]) for row in rows] == [
        (3, 70, b"one"),
        (3, 71, b"\xff\x00"),
    ]
    assert {row["schema_fingerprint"] for row in rows} == {schema.fingerprint[::-1].hex()}
    assert [row["lane_seq"] for row in rows] == [1, 2]
    assert rows[1]["jsonrpc_error"] == -32000


def test_the_same_records_give_the_same_container() -> None:
    value = Trail().frame()
    placed = [Placed(0, 1, value)]

    assert known().of(value).container(placed) == known().of(value).container(placed)


@pytest.mark.parametrize("value", [None, b"", b"\xc3\x01", b"{}", b"\xc3\x02" + bytes(20)])
def test_a_value_that_is_no_avro_is_refused(value: bytes | None) -> None:
    with pytest.raises(UnfitError) as refusal:
        known().of(value)
    assert refusal.value.reason_code == "not_avro"


def test_a_value_of_an_unknown_schema_is_refused_by_its_fingerprint() -> None:
    with pytest.raises(UnfitError, match="fingerprint 0807060504030201") as refusal:
        known().of(b"\xc3\x01" + bytes(range(1, 9)) + b"rest")
    assert refusal.value.reason_code == "unknown_schema"


@given(st.integers(0, 2_000))
def test_a_value_cut_short_anywhere_is_refused(length: int) -> None:
    value = Trail().frame(b"x" * 700)
    schema = known().of(value)
    cut = value[: min(max(PREFIX_BYTES, length), len(value) - 1)]

    with pytest.raises(UnfitError) as refusal:
        schema.read(cut)
    assert refusal.value.reason_code == "undecodable"


def test_a_value_with_bytes_behind_it_is_refused() -> None:
    value = Trail().frame()

    with pytest.raises(UnfitError, match="1 bytes follow"):
        known().of(value).read(value + b"\0")


@given(st.binary(max_size=300))
def test_noise_behind_the_right_prefix_is_refused_and_never_raises_otherwise(noise: bytes) -> None:
    schemas = known()
    prefix = Trail().frame()[:PREFIX_BYTES]

    with pytest.raises(UnfitError):
        schemas.of(prefix + noise).read(prefix + noise)


def test_two_schemas_are_told_apart_by_their_fingerprints() -> None:
    newer = load_schema("audit")
    newer["fields"].insert(-1, {"name": "colour", "type": "string", "default": "", "doc": "A later field."})
    schemas = WriterSchemas([load_schema("audit"), newer], LOOK)
    value = Trail().frame()
    later = Codec(newer).encode({**Codec(load_schema("audit")).decode(value), "colour": "red"})

    assert schemas.of(value).fingerprint != schemas.of(later).fingerprint
    assert schemas.of(later).read(later)["lane"] == "gw/boot/0/0"


def test_the_session_ids_of_these_records_are_well_formed() -> None:
    assert identifier(1) == "00000000-0000-0000-0000-000000000001"
