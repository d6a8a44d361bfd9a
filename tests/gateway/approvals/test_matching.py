"""Which approval a held call joins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.edge.approvals.claims import LINGER_SECONDS, Claims
from gateway.edge.approvals.matching import covers, joined, within
from gateway.edge.approvals.state import Known
from gateway.held import HeldCall
from tests.gateway.approvals.people import GLASS, POLICY, held, somebody
from tests.processors.approvals.making import SECOND, T0

WHO = somebody()
CALL = held(WHO)


def known(number: str, state: str = "pending", kind: str = "call", **over: Any) -> Known:
    """An approval of the caller."""
    fields: dict[str, Any] = {
        "approval_id": number,
        "version": 1,
        "state": state,
        "kind": kind,
        "owner": (WHO.issuer, WHO.subject),
        "connection": "prod",
        "method": "tools/call",
        "tool": "delete_pod",
        "verb": "",
        "object": "",
        "digest": CALL.digest,
        "policy_version": POLICY,
        "rule": "deletes",
        "bound": "",
        "uses_left": 0,
        "ends_at": T0 + 900 * SECOND,
        "until": T0 + 900 * SECOND,
        **over,
    }
    return Known(**fields)


def best(*own: Known, call: HeldCall = CALL, taken: tuple[str, ...] = ()) -> str:
    """The id of the approval that is joined; '' for none."""
    found = joined(call, own, T0, taken.__contains__)
    return found.approval_id if found else ""


def test_an_approved_call_comes_before_a_grant_and_both_before_what_is_pending() -> None:
    pending, asked_grant = known("pending"), known("asked grant", kind="standing")
    grant, approved = known("grant", "approved", "standing"), known("approved", "approved")
    assert best(pending, asked_grant, grant, approved) == "approved"
    assert best(pending, asked_grant, grant) == "grant"
    assert best(pending, asked_grant) == "asked grant"
    assert best(pending) == "pending"
    assert best() == ""


def test_the_oldest_of_several_is_joined() -> None:
    assert best(known("first"), known("second")) == "first"


def test_what_another_exchange_is_at_is_left_to_it_but_a_grant_is_shared() -> None:
    assert best(known("first", "approved"), known("second"), taken=("first",)) == "second"
    assert best(known("grant", "approved", "standing"), taken=("grant",)) == "grant"


def test_nothing_that_has_ended_is_joined() -> None:
    for state in ("denied", "expired", "revoked", "used"):
        assert best(known("one", state), known("two", state, "standing")) == ""
    assert (
        best(known("late", "approved", ends_at=T0), known("grant", "approved", "standing", ends_at=T0)) == ""
    )


def test_access_is_no_approval_of_a_call() -> None:
    assert best(known("access", "approved", "access")) == ""


def test_who_breaks_the_glass_joins_what_is_approved_only() -> None:
    breaking = replace(CALL, hold=GLASS, break_glass=True)
    assert best(known("pending"), call=breaking) == ""
    assert best(known("pending"), known("approved", "approved"), call=breaking) == "approved"
    assert best(known("pending"), call=replace(CALL, break_glass=True)) == "pending"  # there is no glass


def test_a_grant_covers_one_verb_of_kubernetes() -> None:
    call = replace(CALL, method="", tool="", verb="delete")
    grant = known("grant", "approved", "standing", method="", tool="", verb="delete")
    assert covers(grant, call)
    assert not covers(grant, replace(call, verb="create"))


def test_a_bound_that_cannot_be_computed_holds_for_nothing() -> None:
    assert within("", CALL)
    assert within('tool.arguments.name == "web"', CALL)
    assert not within('tool.arguments.name == "db"', CALL)
    assert not within("tool.arguments.missing > 3", CALL)
    assert not within("tool.arguments.name ==", CALL)


def test_a_claim_lingers_for_a_moment() -> None:
    now = [0.0]
    claims = Claims(lambda: now[0])
    claims.linger("one")
    assert claims.taken("one")
    now[0] = LINGER_SECONDS
    assert not claims.taken("one")
    with claims.held("one"), claims.held("one"):
        now[0] += 1_000
        assert (claims.taken("one"), claims.exchanges("one")) == (True, 2)
    assert (claims.taken("one"), claims.exchanges("one")) == (False, 0)
