"""What the records say together, without a broker."""

from __future__ import annotations

import pytest

from gateway.edge.announce import stamp
from gateway.edge.control.state import ControlState
from schemas.codec import CodecError, codec
from schemas.control import (
    ControlRecord,
    ToolPin,
    block_key,
    control_value,
    policy_in_force,
    principal_blocked,
    session_killed,
    token_revoked,
    tool_pinned,
)
from tests.gateway.control.people import ISSUER, somebody


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def put(state: ControlState, record: ControlRecord) -> None:
    state.apply(record["target"].encode(), control_value(record))


def block(subject: str, issuer: str = ISSUER, expires_at: int | None = None) -> ControlRecord:
    return principal_blocked(
        stamp(), issuer, subject, by="cli:ann@ops", reason="laptop stolen", expires_at=expires_at
    )


def test_a_block_is_of_one_subject_at_one_issuer() -> None:
    state = ControlState(Clock())
    put(state, block("mallory"))
    assert state.blocked(somebody("mallory")) == "laptop stolen"
    assert state.blocked(somebody("mallory", "https://other.example.com")) == ""
    assert state.blocked(somebody("alice")) == ""


def test_a_block_without_an_issuer_is_of_the_subject_everywhere() -> None:
    state = ControlState(Clock())
    put(state, block("mallory", ""))
    assert state.blocked(somebody("mallory")) == state.blocked(somebody("mallory", "")) == "laptop stolen"


def test_a_block_ends_by_time_and_one_that_holds_everywhere_goes_on() -> None:
    clock = Clock()
    state = ControlState(clock)
    put(state, block("mallory", expires_at=1_060_000_000))
    assert state.blocked(somebody("mallory"))
    clock.now = 1_060.0
    assert state.blocked(somebody("mallory")) == ""
    assert state.records() == []
    assert [record["subject"] for record in state.expired(1_061)] == ["mallory"]
    put(state, block("mallory", ""))
    assert state.blocked(somebody("mallory"))


def test_a_tombstone_takes_back_each_kind() -> None:
    state = ControlState(Clock())
    records = [
        block("mallory"),
        session_killed(stamp(), "s-1", by="cli:ann@ops", reason=""),
        token_revoked(stamp(), "t-1", by="cli:ann@ops", reason=""),
        tool_pinned(stamp(), "demo", "get|pod", ToolPin("aa"), by="gateway"),
        policy_in_force(stamp(), "demo", "ff", by="gateway"),
    ]
    for record in records:
        put(state, record)
    assert state.killed("s-1")
    assert state.revoked("t-1")
    assert state.pins["demo", "get|pod"] == ToolPin("aa")
    assert state.policies["demo"] == "ff"
    kinds = [state.apply(record["target"].encode(), None) for record in records]
    assert kinds == [record["kind"] for record in records]
    assert not state.blocked(somebody("mallory"))
    assert not state.killed("s-1")
    assert not state.revoked("t-1")
    assert (dict(state.pins), dict(state.policies), state.records()) == ({}, {}, [])
    assert state.apply(b"block:nobody|knows", b"") is None


def test_a_pin_comes_back_as_it_was_told() -> None:
    state = ControlState(Clock())
    pin = ToolPin(
        digest="aa",
        annotations={"readOnlyHint": True},
        flags=("hidden-unicode",),
        accepted_by="cli:ann@ops",
        state="changed",
        seen_digest="bb",
        seen_annotations={"destructiveHint": True},
        seen_flags=("zero-width",),
    )
    put(state, tool_pinned(stamp(), "demo", "get_pod", pin, by="gateway"))
    assert state.pins["demo", "get_pod"] == pin


@pytest.mark.parametrize(
    "value",
    [
        b"junk",
        codec("control").prefix + b"\x00",
        codec("finding").prefix,
        control_value(session_killed(stamp(), "other", by="", reason="")),
        control_value({**block("mallory"), "target": "block:x|y"}),
    ],
)
def test_a_poison_record_changes_nothing_and_a_block_in_force_stays(value: bytes) -> None:
    state = ControlState(Clock())
    put(state, block("mallory"))
    with pytest.raises(CodecError):
        state.apply(block_key(ISSUER, "mallory").encode(), value)
    assert state.blocked(somebody("mallory"))


@pytest.mark.parametrize("detail", ["", "[]", "{}", '{"state":"odd"}', "[" * 5_000])
def test_a_pin_with_a_broken_detail_is_not_believed(detail: str) -> None:
    record = tool_pinned(stamp(), "demo", "get_pod", ToolPin("aa"), by="gateway")
    state = ControlState(Clock())
    with pytest.raises(CodecError):
        put(state, {**record, "detail": detail})
    assert dict(state.pins) == {}


def test_an_issuer_with_a_bar_would_make_a_key_of_two_meanings() -> None:
    with pytest.raises(ValueError, match="issuer"):
        block_key("https://a|b", "c")
