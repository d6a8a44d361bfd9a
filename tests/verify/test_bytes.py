"""A stored row gives back the bytes that were signed, whatever a frame holds, under every version of its schema."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.checkpoints import leaf_of
from schemas.codec import codec, load_schema, schema_versions
from schemas.digests import body_commitment, frame_digest
from schemas.frames import audit_value, header_codec, open_frame, zigzag
from sinks.avro import Placed
from sinks.store import insert
from sinks.tables import frames_target
from sinks.verify.live import Horizon, LiveTrail
from sinks.verify.rebuild import rebuild, versions
from sinks.verify.straight import Straight
from tests.schemas.records import example
from tests.sinks.shared_store import embedded_store

PARTITIONS = count(500)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
LONG = st.integers(0, 2**63 - 1)
REDACTION = st.fixed_dictionaries(
    {
        "path": TEXT,
        "rule": TEXT,
        "start": st.integers(-1, 2**40),
        "end": st.integers(-1, 2**40),
        "pseudonym": TEXT,
    }
)
RANGES: dict[str, st.SearchStrategy[Any]] = {
    "recorded_at": st.integers(1_577_836_800_000_000, 4_102_444_799_999_999),
    "http_status": st.integers(0, 999),
    "part": st.just(1),
    "parts": st.integers(1, 2**31 - 1),
    "lane_seq": LONG,
    "elapsed_us": LONG,
    "body_bytes": LONG,
    "jsonrpc_error": st.none() | st.integers(-(2**63), 2**63 - 1),
    "tool_is_error": st.none() | st.booleans(),
    "redactions": st.lists(REDACTION, max_size=3),
    "principal_groups": st.lists(TEXT, max_size=3),
    "attributes": st.dictionaries(TEXT, TEXT, max_size=4),
}


def _strategy(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    name, kind = field["name"], field["type"]
    if name in RANGES:
        return RANGES[name]
    if isinstance(kind, dict) and kind["type"] == "enum":
        return st.sampled_from(kind["symbols"])
    if isinstance(kind, dict) and kind.get("logicalType") == "uuid":
        return st.uuids().map(str)
    if kind == "Sha256" or (isinstance(kind, dict) and kind["type"] == "fixed"):
        return st.binary(min_size=32, max_size=32)
    assert kind == "string", f"{name} has a type that this test does not know"
    return TEXT


HEADERS = st.fixed_dictionaries(
    {field["name"]: _strategy(field) for field in load_schema("frame")["fields"][:-3]}
)
FRAMES = st.tuples(
    HEADERS,
    st.binary(max_size=60),
    st.none() | st.binary(max_size=60),
    st.integers(0, len(schema_versions("frame")) - 1),
)


def sealed(header: dict[str, Any], body: bytes, version: int) -> bytes:
    """As `seal_frame` does, under any version of the schema."""
    header = {**header, "body_commitment": body_commitment(bytes(16), body)}
    head = header_codec(version).encode_body(header)
    blobs = b"".join(zigzag(len(part)) + part for part in (bytes(16), body))
    return codec("frame").prefixes[version] + head + frame_digest(head) + blobs


def given_back(values: list[bytes]) -> list[Any]:
    """What the store's columns of these values give."""
    store, partition = embedded_store(), next(PARTITIONS)
    target = frames_target("audit")
    for offset, value in enumerate(values):
        placed = [Placed(partition, offset, value)]
        assert not insert(
            store.client, "audit.frames_stored", target.schemas.of(value), placed, f"{partition}/{offset}"
        )
    trail = LiveTrail(Straight(store.client, "audit"), {partition: Horizon(0, len(values))})
    return [rebuild(row) for row in trail.rows(partition)]


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(st.lists(FRAMES, min_size=5, max_size=8))
def test_any_frame_gives_back_its_leaf_from_the_columns_of_the_store(frames: list[Any]) -> None:
    values = []
    for offset, (fields, body, masked, version) in enumerate(frames):
        header = {**fields, "lane": f"{fields['lane']}/{next(PARTITIONS)}", "lane_seq": offset}
        redactions = header["redactions"] if masked is not None else None
        opened = open_frame(sealed(header, body, version))
        values.append(audit_value(opened, partition=1, offset=2**40, body=masked, deep_redactions=redactions))

    found = given_back(values)

    assert [one.leaf for one in found] == [leaf_of(value) for value in values]
    # a body that was masked deeper without a redaction is nothing that the processor writes
    honest = [m is None or h["redactions"] for h, _b, m, _v in frames]
    assert [one.fault for one, is_honest in zip(found, honest, strict=True) if is_honest] == [""] * sum(
        map(bool, honest)
    )


@pytest.mark.parametrize("version", range(len(schema_versions("frame"))))
def test_the_committed_example_gives_back_its_leaf_under_every_version(version: int) -> None:
    record = example("frame")
    record["lane"] = f"example/{version}"
    opened = open_frame(sealed(record, record["body"], version))
    value = audit_value(opened, partition=2, offset=7)

    (found,) = given_back([value])

    assert (found.leaf, found.fault, found.digest) == (leaf_of(value), "", opened.record["digest"])


def test_the_store_names_the_schema_of_every_version() -> None:
    assert len(versions()) == len(schema_versions("audit"))


def test_ids_come_back_as_they_were_written() -> None:
    record = {**example("frame"), "frame_id": str(UUID(int=0)), "lane": "ids"}
    value = audit_value(open_frame(sealed(record, b"", 0)), partition=0, offset=0)

    assert given_back([value])[0].leaf == leaf_of(value)
