"""What a desk keeps: the same in whatever order the topics are read, and never more than its bounds."""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest

from console.settings import DeskLimits
from console.shelf import Shelf
from schemas.approvals import ApprovalDecision, ApprovalRequest, ApprovalSettled
from tests.processors.approvals.making import approval_id, decision_fields, decision_id, request_fields

SETTLED: dict[str, Any] = {
    "state": "pending",
    "version": 1,
    "at": 0,
    "decision_id": "",
    "refusal": "",
    "comment": "",
    "use_id": "",
    "approvers": [],
    "uses_left": 0,
    "ends_at": 0,
    "review_due_at": None,
    "reviewed_by": "",
}


def request(number: int, **over: Any) -> ApprovalRequest:
    return cast("ApprovalRequest", request_fields(number, **over))


def settled(number: int, version: int, state: str, decision: str = "") -> ApprovalSettled:
    named = {"approval_id": approval_id(number), "version": version, "state": state, "decision_id": decision}
    return cast("ApprovalSettled", {**SETTLED, **named})


def place(offset: int, topic: str = "approvals.settled") -> tuple[str, int, int]:
    return topic, 0, offset


def filled(count: int, limits: DeskLimits, state: str = "pending", **over: Any) -> Shelf:
    shelf = Shelf(limits)
    for number in range(count):
        shelf.requested(request(number, **over), place(number, "approvals.requested"))
        shelf.settled(settled(number, 1, state), place(number))
    return shelf


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_records_come_to_the_same_in_any_order(order: tuple[int, ...]) -> None:
    shelf = Shelf(DeskLimits())
    decision = cast("ApprovalDecision", decision_fields(7))
    records = [
        lambda: shelf.requested(request(1), place(0, "approvals.requested")),
        lambda: shelf.settled(settled(1, 1, "pending"), place(0)),
        lambda: shelf.settled(settled(1, 2, "approved", decision_id(7)), place(1)),
        lambda: shelf.decided(decision),
    ]
    for number in order:
        records[number]()
    found = shelf.find(approval_id(1))
    assert found
    assert (found.state, found.history[-1].verb, found.history[-1].who.rpartition("|")[2]) == (
        "approved",
        "approve",
        "ann",
    )
    assert [turn.version for turn in found.history] == [1, 2]


def test_what_is_repeated_or_requested_again_changes_nothing() -> None:
    shelf = filled(1, DeskLimits())
    assert shelf.settled(settled(0, 1, "approved"), place(9)) == ""
    assert shelf.requested(request(0, connection="another"), place(9)) == ""
    found = shelf.find(approval_id(0))
    assert found
    assert (found.state, found.request["connection"]) == ("pending", "prod")


def test_what_nobody_requested_is_not_shown() -> None:
    shelf = Shelf(DeskLimits())
    assert shelf.settled(settled(1, 1, "pending"), place(0)) == ""
    assert shelf.find(approval_id(1)) is None
    assert list(shelf.all()) == []


def test_what_has_ended_makes_room_first_and_what_is_open_is_counted_when_it_must_go() -> None:
    limits = DeskLimits(approvals_max=10)
    shelf = filled(8, limits)
    for number in range(100, 140):
        shelf.requested(request(number), place(number, "approvals.requested"))
        shelf.settled(settled(number, 1, "denied"), place(number))
    assert all(shelf.find(approval_id(number)) for number in range(8))
    assert (len(shelf) <= 10, shelf.forgotten) == (True, 0)
    full = filled(30, limits)
    assert (len(full) <= 10, full.forgotten) == (True, 30 - len(full))


def test_large_arguments_count() -> None:
    shelf = filled(50, DeskLimits(bytes_max=1_000_000), arguments=b"x" * 100_000)
    assert 0 < len(shelf) < 10


def test_answers_of_one_approval_are_bounded_and_the_latest_stay() -> None:
    shelf = filled(1, DeskLimits(history_max=5))
    for version in range(2, 50):
        shelf.settled(settled(0, version, "approved"), place(version))
    found = shelf.find(approval_id(0))
    assert found
    assert [turn.version for turn in found.history] == [45, 46, 47, 48, 49]


def test_changes_since_a_place_are_found_by_the_record_that_made_them() -> None:
    shelf = filled(3, DeskLimits())
    after_two = {("approvals.requested", 0): 2, ("approvals.settled", 0): 2}
    assert list(shelf.since(after_two)) == [approval_id(2)]
    assert len(list(shelf.since({}))) == 3
    shelf.settled(settled(0, 2, "denied"), place(3))
    assert set(shelf.since(after_two)) == {approval_id(0), approval_id(2)}
