"""What settled records say together: the same on every replica, however often and in whatever order they come."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edge.approvals.state import KEEP, ApprovalsState
from schemas.approvals import ApprovalSettled
from tests.processors.approvals.making import (
    DIGEST,
    ISSUER,
    POLICY,
    SECOND,
    T0,
    Desk,
    approval_id,
    decision,
    decision_id,
    request,
    use,
)

BOB = (ISSUER, "bob")
NUMBERS = (1, 2, 3)
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"kind": "standing", "grant_seconds": 60, "uses_max": 2},
    {"kind": "standing", "grant_seconds": 60},
    {"kind": "access", "grant_seconds": 60, "argument_digest": "", "policy_version": ""},
)
VERBS = ("approve", "deny", "revoke", "use", "approve", "use", "tick")


def record(number: int = 1, version: int = 1, state: str = "pending", **over: Any) -> ApprovalSettled:
    """A settled record as the machine makes it, of Bob's approval `number`."""
    fields: Any = {
        "settled_id": str(UUID(int=version)),
        "approval_id": approval_id(number),
        "version": version,
        "at": T0,
        "state": state,
        "kind": "call",
        "principal_issuer": ISSUER,
        "principal_subject": "bob",
        "connection": "prod",
        "method": "tools/call",
        "tool": "delete_pod",
        "verb": "",
        "object": "",
        "argument_digest": DIGEST,
        "policy_version": POLICY,
        "rule": "deletes",
        "bound": "",
        "uses_left": 0,
        "ends_at": T0 + 900 * SECOND,
        "use_id": "",
        "decision_id": "",
        "refusal": "",
        "approvers": [],
        "comment": "",
        "review_due_at": None,
        "reviewed_by": "",
        "key_id": "",
        "signature": b"",
        **over,
    }
    settled: ApprovalSettled = fields
    return settled


@st.composite
def histories(draw: st.DrawFn) -> list[ApprovalSettled]:
    """What the machine settles of some approvals, whatever people say."""
    desk = Desk()
    settled: list[ApprovalSettled] = []
    kinds = [draw(st.sampled_from(KINDS)) for _ in NUMBERS]
    for number, kind in zip(NUMBERS, kinds, strict=True):
        settled += desk.asked(request(number, **kind))
    for step in range(draw(st.integers(0, 15))):
        number, verb = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(VERBS))
        at = T0 + step * draw(st.sampled_from((1, 90))) * SECOND
        if verb == "tick":
            settled += desk.tick(at, number)
            continue
        same = {name: kinds[number - 1].get(name, usual) for name, usual in _bound().items()}
        ids = {"approval_id": approval_id(number), "decision_id": decision_id(step), "at": at, **same}
        said = use(step, f"exchange-{step}", **ids) if verb == "use" else decision(step, "ann", verb, **ids)
        settled += desk.told(said)
    return settled


def _bound() -> dict[str, str]:
    return {"argument_digest": DIGEST, "policy_version": POLICY}


def law(state: ApprovalsState) -> dict[str, tuple[object, ...]]:
    """What counts of each approval."""
    found = {number: state.get(approval_id(number)) for number in NUMBERS}
    return {
        each.approval_id: (each.state, each.version, each.uses_left, each.ends_at, each.approvers)
        for each in found.values()
        if each is not None
    }


def of(records: list[ApprovalSettled], at: int = T0) -> ApprovalsState:
    """The state after these."""
    state = ApprovalsState()
    for each in records:
        state.apply(each, at)
    return state


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_order_and_repeats_of_records_change_nothing(data: st.DataObject) -> None:
    records = data.draw(histories())
    repeated = records + data.draw(st.lists(st.sampled_from(records), max_size=10))
    shuffled = data.draw(st.permutations(repeated))
    assert law(of(shuffled)) == law(of(records))
    last = {each["approval_id"]: each for each in sorted(records, key=lambda each: each["version"])}
    assert {key: row[0] for key, row in law(of(shuffled)).items()} == {
        key: each["state"] for key, each in last.items()
    }


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_has_ended_is_never_approved_again_whatever_is_replayed_and_when(data: st.DataObject) -> None:
    records = data.draw(histories())
    state = of(records)
    ended = {each for each, row in law(state).items() if row[0] not in ("pending", "approved")}
    now = T0
    for replayed in data.draw(st.lists(st.sampled_from(records), max_size=20)):
        now += data.draw(st.sampled_from((0, 60, 900, 4_000))) * SECOND
        state.sweep(now)
        state.apply(replayed, now)
        for each in ended:
            known = state.get(each)
            assert known is None or known.now(now) not in ("approved", "pending")
        for known in state.open_of(BOB):
            assert known.now(now) == "expired" or now < known.ends_at


@settings(max_examples=30, deadline=None)
@given(histories())
def test_the_indexes_agree_with_what_is_known(records: list[ApprovalSettled]) -> None:
    state = of(records)
    known = [each for number in NUMBERS if (each := state.get(approval_id(number)))]
    assert {each.approval_id for each in state.open_of(BOB)} == {e.approval_id for e in known if e.open}
    assert {each.approval_id for each in state.all_of(BOB)} == {each.approval_id for each in known}
    at = max(each.ends_at for each in known)
    lent = [e for e in known if e.kind == "access" and e.state == "approved"]
    assert state.access(BOB, "prod", T0) == bool(lent)
    assert not state.access(BOB, "prod", at)
    assert state.ended_access(T0, at) == any(e.kind == "access" and e.open for e in known)
    state.sweep(max(each.until for each in known) + KEEP)
    assert (len(state), state.open_of(BOB), state.all_of(BOB)) == (0, [], [])


def test_what_somebody_said_stays_when_a_later_decision_did_not_count() -> None:
    state = of(
        [
            record(),
            record(version=2, state="approved", comment="go on", decision_id=decision_id(1)),
            record(
                version=3,
                state="approved",
                comment="no!",
                refusal="not one of the reviewers",
                decision_id=decision_id(2),
            ),
        ]
    )
    known = state.get(approval_id())
    assert known is not None
    assert (known.comment, known.refusal, known.version) == ("go on", "", 3)


def test_why_a_request_was_not_fit_is_told() -> None:
    known = of([record(state="denied", refusal="grant_seconds is not within 30 days")]).get(approval_id())
    assert known is not None
    assert known.told(T0).refusal == "grant_seconds is not within 30 days"


def test_there_is_room_for_so_many_and_spent_ones_go_first() -> None:
    state = ApprovalsState(approvals_max=3, open_max=2)
    assert state.apply(record(1), T0)
    assert state.apply(record(2), T0)
    assert state.apply(record(3), T0) is None  # a third open one of the same principal
    assert state.apply(record(1, 2, "used"), T0)
    assert state.apply(record(3), T0)
    assert state.apply(record(2, 2, "denied"), T0)
    assert state.apply(record(4), T0)
    assert state.get(approval_id(1)) is None
    assert (len(state), len(state.open_of(BOB))) == (3, 2)


def test_a_revoked_grant_is_not_forgotten_for_room() -> None:
    state = ApprovalsState(approvals_max=2)
    grant = {"kind": "standing", "uses_left": -1}
    for number in (1, 2):
        state.apply(record(number, 1, "approved", **grant), T0)
        state.apply(record(number, 2, "revoked", **grant), T0)
    assert state.apply(record(3), T0) is None
    assert not state.apply(record(1, 1, "approved", **grant), T0)
    assert state.open_of(BOB) == []


def test_what_ended_long_ago_is_not_taken_in_at_all() -> None:
    state = ApprovalsState()
    assert state.apply(record(), T0 + 900 * SECOND + KEEP) is False
    assert len(state) == 0
