"""The pure step from a frame to its audit record."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking import LimitCrossed, Masked, profile_from
from masking.deep import DeepMasker
from processors.deadline import Deadline
from processors.masking_step import Audited, Rejected, step
from processors.masks import Deep, Masks, masks
from processors.settings import ProcessorSettings
from schemas.codec import codec
from schemas.digests import audit_digest
from schemas.frames import open_frame
from tests.processors.making import BODY, frame_value

KEY = b"k" * 32
TOKEN = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLWhlcmUtMTIz"
LIMIT = 4 * 1024 * 1024


def mask(_connection: str, _groups: object) -> Deep:
    """The usual mask."""
    return Deep(DeepMasker(KEY, "secrets").mask)


def only(use: Callable[[bytes], Masked[bytes]]) -> Masks:
    """This mask for every connection."""
    return lambda *_: Deep(lambda body, _known: use(body))


def audited(value: bytes, use: Masks = mask) -> dict[str, object]:
    """The decoded audit record of a frame at 3/77."""
    done = step(value, 3, 77, use, LIMIT)
    assert isinstance(done, Audited)
    return codec("audit").decode(done.value)


def test_a_clean_frame_keeps_every_field_and_gets_its_place() -> None:
    value = frame_value(1)
    record = audited(value)
    for name, was in codec("frame").decode(value).items():
        assert record[name] == was, name
    assert (record["frames_partition"], record["frames_offset"], record["deep_redactions"]) == (3, 77, [])


def test_a_secret_in_the_body_is_replaced_and_its_salt_goes_with_it() -> None:
    body = BODY + b"\nAuthorization: Bearer " + TOKEN
    record = audited(frame_value(1, body))
    assert TOKEN not in bytes(record["body"])  # type: ignore[call-overload]
    assert record["body_salt"] == b""
    assert record["digest"] == open_frame(frame_value(1, body)).record["digest"]
    assert record["audit_digest"] != audit_digest(b"", b"", b"")


def test_each_redaction_points_at_its_pseudonym_in_the_masked_body() -> None:
    body = b"Authorization: Bearer " + TOKEN + b"\nx: 1\nAuthorization: Bearer " + TOKEN[::-1] + b"a" * 20
    record = audited(frame_value(1, body))
    kept = bytes(record["body"])  # type: ignore[call-overload]
    rows = record["deep_redactions"]
    assert isinstance(rows, list)
    assert rows
    for row in rows:
        assert kept[row["start"] : row["end"]] == row["pseudonym"].encode()


def test_a_repeat_is_byte_identical() -> None:
    value = frame_value(1, BODY + TOKEN)
    assert step(value, 3, 77, mask, LIMIT) == step(value, 3, 77, mask, LIMIT)


def test_a_part_of_a_frame_is_masked_as_text() -> None:
    part = b'0,"note":"Authorization: Bearer ' + TOKEN + b'","half'
    record = audited(frame_value(1, part, part=2, parts=3))
    assert TOKEN not in bytes(record["body"])  # type: ignore[call-overload]
    assert (record["part"], record["parts"]) == (2, 3)


@pytest.mark.parametrize("value", [None, b"", b"nonsense", frame_value(1)[:-1], frame_value(1) + b"x"])
def test_what_is_no_frame_is_rejected(value: bytes | None) -> None:
    done = step(value, 0, 0, mask, LIMIT)
    assert isinstance(done, Rejected)
    assert done.reason_code == "undecodable"


def test_a_frame_whose_header_was_changed_is_rejected() -> None:
    value = frame_value(1).replace(b"get_pods", b"del_pods", 1)
    assert isinstance(step(value, 0, 0, mask, LIMIT), Rejected)


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_no_bytes_make_the_step_raise(value: bytes) -> None:
    assert isinstance(step(frame_value(1)[:10] + value, 0, 0, mask, LIMIT), Rejected)


def test_a_mask_that_fails_never_lets_the_body_pass_and_tells_nothing_of_it() -> None:
    def broken(body: bytes) -> Masked[bytes]:
        raise RuntimeError(body.decode())

    done = step(frame_value(1, TOKEN), 0, 0, only(broken), LIMIT)
    assert done == Rejected("masking-failed", "masking raised RuntimeError")


def test_a_body_that_the_mask_refuses_is_rejected_with_its_reason() -> None:
    def refusing(_body: bytes) -> Masked[bytes]:
        raise LimitCrossed("nested deeper than 128")

    done = step(frame_value(1), 0, 0, only(refusing), LIMIT)
    assert done == Rejected("masking-refused", "masking refused the body: nested deeper than 128")


def test_a_mask_that_takes_too_long_is_stopped_and_the_frame_rejected() -> None:
    deadline = Deadline(0.05)
    deadline.install()

    def endless(body: bytes) -> Masked[bytes]:
        return deadline.call(spin, body)

    started = time.monotonic()
    done = step(frame_value(1), 0, 0, only(endless), LIMIT)
    assert done == Rejected("masking-timeout", "masking was not done in 0.05 s")
    assert time.monotonic() - started < 5


def spin(body: bytes) -> Masked[bytes]:
    """Never ends by itself."""
    while True:
        body = body[::-1]


def test_a_result_above_the_topics_limit_is_rejected() -> None:
    done = step(frame_value(1), 0, 0, mask, 100)
    assert isinstance(done, Rejected)
    assert done.reason_code == "too-large"


def test_each_connection_has_its_own_profile() -> None:
    use = masks(ProcessorSettings(Path(), KEY, profiles={"open": "off"}), Deadline(5))
    assert not use("open", []).mask(TOKEN, ()).redactions
    assert use("demo", []).mask(b"Authorization: Bearer " + TOKEN, ()).redactions


def test_a_callers_group_may_have_another_profile_and_a_connection_rules_of_its_own() -> None:
    own = profile_from("secrets", [{"id": "badge", "pattern": "BADGE-[0-9]{6}"}])
    settings = ProcessorSettings(
        Path(),
        KEY,
        profiles={"demo": own},
        profiles_by_group={"demo": [("auditors", "off"), ("support", "secrets+pii")]},
    )
    use = masks(settings, Deadline(5))
    badge, mail = b"see BADGE-123456", b"write to ingeborg@lindqvist.example.no"
    assert use("demo", ["staff"]).mask(badge, ()).redactions
    assert not use("demo", ["staff", "auditors", "support"]).mask(badge, ()).redactions
    assert use("demo", ["support"]).mask(mail, ()).redactions
    assert not use("demo", []).mask(mail, ()).redactions
