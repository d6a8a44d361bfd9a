"""What the records say together, without a broker."""

from __future__ import annotations

import pytest

from gateway.edge.announce import stamp
from gateway.edge.control.state import ControlState
from gateway.settings import Rate
from schemas.codec import CodecError, codec
from schemas.control import (
    ControlRecord,
    Lowered,
    ToolPin,
    alerts_silenced,
    approval_demanded,
    block_key,
    control_value,
    limits_lowered,
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
        approval_demanded(stamp(), session_id="s-2", by="rule:r", reason=""),
        approval_demanded(stamp(), issuer=ISSUER, subject="mallory", by="rule:r", reason=""),
        limits_lowered(stamp(), ISSUER, "mallory", Lowered(1.0, 2), by="rule:r", reason=""),
    ]
    for record in records:
        put(state, record)
    assert state.killed("s-1")
    assert state.revoked("t-1")
    assert state.pins["demo", "get|pod"] == ToolPin("aa")
    assert state.policies["demo"] == "ff"
    records.append(
        alerts_silenced(stamp(), "r", "", "", by="cli:ann@ops", reason="", expires_at=2_000_000_000)
    )
    put(state, records[-1])
    assert state.demanded("s-2", somebody("alice"))
    assert state.demanded("s-3", somebody("mallory"))
    assert state.lowered(somebody("mallory")) == Rate(1.0, 2)
    kinds = [state.apply(record["target"].encode(), None) for record in records]
    assert kinds == [record["kind"] for record in records]
    assert not state.blocked(somebody("mallory"))
    assert not state.killed("s-1")
    assert not state.revoked("t-1")
    assert not state.demanded("s-2", somebody("mallory"))
    assert state.lowered(somebody("mallory")) is None
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


def test_an_answer_to_a_finding_replaces_no_block_by_a_person_and_ends_alone() -> None:
    clock = Clock()
    state = ControlState(clock)
    put(state, block("mallory"))
    answer = principal_blocked(
        stamp(), ISSUER, "mallory", by="rule:r", reason="many reads", expires_at=1_060_000_000, cause="f-1"
    )
    put(state, answer)
    clock.now = 1_061.0
    assert state.blocked(somebody("mallory")) == "laptop stolen"
    assert [record["cause"] for record in state.expired(1_062)] == ["f-1"]
    state.apply(answer["target"].encode(), None)
    assert state.blocked(somebody("mallory")) == "laptop stolen"
    assert state.apply(block("mallory")["target"].encode(), None) == "principal_blocked"
    assert state.blocked(somebody("mallory")) == ""


def test_approval_is_demanded_of_a_session_or_of_a_principal_until_it_ends() -> None:
    clock = Clock()
    state = ControlState(clock)
    put(
        state,
        approval_demanded(
            stamp(), session_id="s-1", by="rule:r", reason="odd", expires_at=1_060_000_000, cause="f"
        ),
    )
    put(state, approval_demanded(stamp(), subject="bob", by="rule:r", reason="odder"))
    assert state.demanded("s-1", somebody("alice")) == "odd"
    assert state.demanded("s-9", somebody("alice")) == ""
    assert state.demanded("s-9", somebody("bob", "https://any.example.com")) == "odder"
    clock.now = 1_060.0
    assert state.demanded("s-1", somebody("alice")) == ""
    with pytest.raises(ValueError, match="a session or of a principal"):
        approval_demanded(stamp(), by="rule:r", reason="")


def test_of_several_lowered_limits_the_lowest_holds() -> None:
    clock = Clock()
    state = ControlState(clock)
    for cause, rate, ends in (("a", Lowered(5.0, 5), 1_090), ("b", Lowered(0.5, 1), 1_060)):
        put(
            state,
            limits_lowered(
                stamp(), "", "mallory", rate, by="rule:r", reason="", expires_at=ends * 1_000_000, cause=cause
            ),
        )
    assert state.lowered(somebody("mallory")) == Rate(0.5, 1)
    assert state.lowered(somebody("alice")) is None
    clock.now = 1_070.0
    assert state.lowered(somebody("mallory")) == Rate(5.0, 5)


@pytest.mark.parametrize("detail", ["", "{}", '{"per_second":0,"burst":1}', '{"per_second":1e999,"burst":1}'])
def test_lowered_limits_with_a_broken_detail_are_not_believed(detail: str) -> None:
    record = limits_lowered(stamp(), ISSUER, "mallory", Lowered(1.0, 1), by="rule:r", reason="")
    state = ControlState(Clock())
    with pytest.raises(CodecError):
        put(state, {**record, "detail": detail})
    assert state.lowered(somebody("mallory")) is None


@pytest.mark.parametrize("rate", [Lowered(0.0, 1), Lowered(1.0, 0), Lowered(float("nan"), 1)])
def test_a_rate_that_is_none_is_not_written(rate: Lowered) -> None:
    with pytest.raises(ValueError, match="a rate is"):
        limits_lowered(stamp(), ISSUER, "mallory", rate, by="rule:r", reason="")
