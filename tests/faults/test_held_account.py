"""The proof about held calls sees what it is there to see."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.faults.held_account import Account
from tests.faults.held_books import broken_links
from tests.faults.held_calls import Attempt, Crowd, End, HeldCall, Wish
from tests.faults.held_desk import Decisions
from tests.faults.upstream import MarkedUpstream

UNAPPROVED = "executed without approval"
OTHERWISE = "executed that was denied, expired or left"
TWICE = "executed twice"
NEVER = "approved and never executed"
LOST = "approved while the client waited, and lost"
UNTRUE = "told that it was not executed, though it was"
UNEXPLAINED = "answers that say nothing known"


def found(wish: Wish, ends: list[End], ran: int, *, approved: bool) -> set[str]:
    """The faults of one call with these attempts, the last of which was under way when people decided at 10."""
    crowd, decisions, upstream = Crowd([], [], Random(1)), Decisions(), MarkedUpstream()
    attempts = [Attempt(number, 0, 0.0, 4.0, end) for number, end in enumerate(ends, 1)]
    attempts[-1].began, attempts[-1].ended = 5.0, 15.0
    crowd.calls["m-1"] = HeldCall("m-1", wish, 0, attempts, final=True)
    if approved:
        decisions.approved["m-1"] = [("approval", 10.0)]
    if ran:
        upstream.seen["m-1"] = ran
        upstream.requests["m-1", len(ends)] = ran
    account = Account(crowd, decisions, upstream, uses=ran, broken=[])
    assert account.good == (not any(account.faults.values()))
    return {fault for fault, marks in account.faults.items() if marks}


@pytest.mark.parametrize(
    ("wish", "ends", "ran", "approved", "faults"),
    [
        ("approve", ["done"], 1, True, set()),
        ("approve", ["broken", "done"], 1, True, set()),
        ("deny", ["denied"], 0, False, set()),
        ("expire", ["expired"], 0, False, set()),
        ("gone", ["left"], 0, True, set()),
        ("approve", ["done"], 1, False, {UNAPPROVED}),
        ("deny", ["denied"], 1, False, {UNAPPROVED, OTHERWISE}),
        ("gone", ["left"], 1, True, {OTHERWISE}),
        ("approve", ["done"], 2, True, {TWICE}),
        ("approve", ["expired"], 0, True, {LOST, NEVER}),
        ("approve", ["silent"], 0, True, {LOST, NEVER, UNEXPLAINED}),
        ("approve", ["not executed"], 1, True, {UNTRUE}),
    ],
)
def test_each_fault_of_a_held_call_is_seen(
    wish: Wish, ends: list[End], ran: int, approved: bool, faults: set[str]
) -> None:
    assert found(wish, ends, ran, approved=approved) == faults


@pytest.mark.parametrize(
    ("states", "uses", "links"),
    [
        (["pending", "approved", "used", "used"], ["", "", "e-1", ""], []),
        (["pending", "denied"], ["", ""], []),
        (["pending", "approved"], ["", ""], ["is approved at the end"]),
        (["pending", "denied", "approved", "used"], ["", "", "", "e-1"], ["approved after denied"]),
        (["approved", "used"], ["", "e-1"], ["approved after nothing"]),
        (["pending", "approved", "used", "used"], ["", "", "e-1", "e-2"], ["let 2 exchanges run"]),
    ],
)
def test_a_chain_that_is_broken_is_seen(states: list[str], uses: list[str], links: list[str]) -> None:
    chain: list[Any] = [
        {"state": state, "use_id": use, "version": version}
        for version, (state, use) in enumerate(zip(states, uses, strict=True), 1)
    ]
    assert list(broken_links(chain)) == links
