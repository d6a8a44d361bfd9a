"""G10 for one lane: any change of a record is found, and deep masking breaks nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import PREFIX_BYTES, CodecError, codec
from schemas.digests import GENESIS, audit_digest, body_commitment, frame_digest
from schemas.frames import (
    SALT_BYTES,
    OpenedFrame,
    _processing_codec,
    audit_value,
    header_bytes,
    header_codec,
    open_frame,
    seal_frame,
    zigzag,
)
from tests.schemas.records import SALT, chain, example, header
from tests.support.trail import Recorded, check_lanes

BODIES = [b"{}", b"", b'{"a":1}', bytes(range(256)), b"x" * 100_000]


def on_topic(values: list[bytes]) -> list[Recorded]:
    return [Recorded(0, offset, open_frame(value).record) for offset, value in enumerate(values)]


def test_a_chain_is_whole() -> None:
    frames = on_topic(chain(BODIES))
    assert frames[0].frame["prev_digest"] == GENESIS
    assert check_lanes(frames) == 1


def test_a_frame_opens_as_it_was_sealed() -> None:
    asked = header()
    value, digest = seal_frame(asked, b"body", SALT)
    opened = open_frame(value)
    assert (opened.record["digest"], opened.record["body"], opened.record["body_salt"]) == (
        digest,
        b"body",
        SALT,
    )
    assert opened.header == header_bytes(opened.record) == header_codec().encode_body(asked)
    assert value == codec("frame").encode(opened.record)


@settings(deadline=None)
@given(st.data())
def test_g10_any_changed_byte_of_a_record_is_found(data: st.DataObject) -> None:
    value = chain([b'{"secret":"no"}'])[0]
    place = data.draw(st.integers(0, len(value) - 1))
    changed = bytearray(value)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((CodecError, AssertionError)):
        check_lanes(on_topic([bytes(changed)]))


@pytest.mark.parametrize("place", range(3))
def test_g10_a_missing_record_is_found(place: int) -> None:
    values = chain(BODIES)
    del values[place]
    with pytest.raises(AssertionError, match=r"lacks|not chained"):
        check_lanes(on_topic(values))


def test_g10_reordered_records_are_found() -> None:
    one, two, *rest = chain(BODIES)
    swapped = [
        seal_frame(header(lane_seq=number, prev_digest=open_frame(value).record["prev_digest"]), b"", SALT)[0]
        for number, value in ((1, two), (2, one))
    ]
    with pytest.raises(AssertionError, match="not chained"):
        check_lanes(on_topic([*swapped, *rest]))


def test_g10_a_body_put_in_place_of_another_is_found() -> None:
    record = open_frame(chain([b"true"])[0]).record
    record["body"] = b"false"
    forged = codec("frame").encode(record)
    with pytest.raises(AssertionError):
        check_lanes(on_topic([forged]))


@pytest.mark.parametrize("cut", [0, 1, 9, PREFIX_BYTES, 100, -40, -1])
def test_a_record_cut_short_is_no_frame(cut: int) -> None:
    with pytest.raises(CodecError):
        open_frame(chain([b"{}"])[0][:cut])


def test_a_byte_after_a_record_is_no_part_of_it() -> None:
    with pytest.raises(CodecError, match="follow"):
        open_frame(chain([b"{}"])[0] + b"\0")


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_g11_no_bytes_at_all_raise_anything_but_a_codec_error(junk: bytes) -> None:
    for value in (junk, codec("frame").prefix + junk):
        with pytest.raises(CodecError):
            open_frame(value)


def test_an_error_text_holds_nothing_of_the_content() -> None:
    with pytest.raises(CodecError) as caught:
        codec("frame").encode({**example("frame"), "lane_seq": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("salt", [b"", b"short", bytes(SALT_BYTES + 1)])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(CodecError, match="salt"):
        seal_frame(header(), b"", salt)


def opened() -> OpenedFrame:
    return open_frame(chain([b'{"name":"alice"}'])[0])


def test_an_audit_record_carries_the_chained_bytes_over_whether_masked_deeper_or_not() -> None:
    frame = opened()
    for body in (None, b'{"name":"[masked]"}'):
        value = audit_value(frame, partition=3, offset=70_000, body=body)
        record = codec("audit").decode(value)
        assert value[PREFIX_BYTES:].startswith(frame.header)
        assert frame_digest(header_bytes(record)) == record["digest"] == frame.record["digest"]  # type: ignore[arg-type]
        assert (record["frames_partition"], record["frames_offset"]) == (3, 70_000)
        assert record["body"] == (body or frame.record["body"])
        assert value == codec("audit").encode(record)


def test_the_salt_goes_with_the_body_that_it_belongs_to() -> None:
    frame = opened()
    kept = codec("audit").decode(audit_value(frame, partition=0, offset=0))
    replaced = codec("audit").decode(audit_value(frame, partition=0, offset=0, body=b"{}"))
    assert body_commitment(kept["body_salt"], kept["body"]) == kept["body_commitment"]
    assert replaced["body_salt"] == b""
    assert replaced["body_commitment"] == kept["body_commitment"]


def test_an_audit_digest_covers_place_redactions_and_body() -> None:
    found = example("frame")["redactions"]
    frame = opened()
    values = [
        audit_value(frame, partition=0, offset=1),
        audit_value(frame, partition=1, offset=1),
        audit_value(frame, partition=0, offset=2),
        audit_value(frame, partition=0, offset=1, body=b"{}"),
        audit_value(frame, partition=0, offset=1, deep_redactions=found),
    ]
    records = [codec("audit").decode(value) for value in values]
    assert len({record["audit_digest"] for record in records}) == len(records)
    for record in records:
        processing = _processing_codec().encode_body(record)
        assert audit_digest(record["digest"], processing, record["body"]) == record["audit_digest"]


def test_a_repeat_of_the_same_step_is_the_same_record() -> None:
    assert audit_value(opened(), partition=0, offset=1) == audit_value(opened(), partition=0, offset=1)


@pytest.mark.parametrize(
    ("number", "encoded"), [(0, b"\0"), (1, b"\2"), (63, b"\x7e"), (64, b"\x80\x01"), (8192, b"\x80\x80\x01")]
)
def test_lengths_are_zigzag_varints(number: int, encoded: bytes) -> None:
    assert zigzag(number) == encoded
