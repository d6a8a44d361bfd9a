"""Who is told of what, and when: without Kafka, with a clock that the test sets."""

from __future__ import annotations

from typing import Any

import pytest

from processors.alerts.board import FINDINGS_KEPT, LETTERS_MAX, LINES_MAX, Board
from processors.alerts.matching import wants
from processors.alerts.settings import Silence
from schemas.codec import CodecError
from schemas.control import alerts_silenced
from schemas.findings import FindingRecord, acted
from schemas.stamps import Stamp
from tests.processors.alerts.making import (
    HOUR,
    ISSUER,
    SECOND,
    T0,
    attempt,
    delivered,
    finding,
    route,
    settings,
)

STAMP = Stamp("0193b2f0-5c1e-7cc1-9c1e-0242ac120002", T0)


def test_a_finding_is_told_at_once_and_once_however_often_it_comes() -> None:
    board, one = Board(settings()), finding(title="one")
    assert [board.take(one, T0), board.take(one, T0)] == ["told", "known"]
    assert board.take({**one, "act": "repeated", "raised_at": T0 + SECOND}, T0 + SECOND) == "known"
    assert delivered(board, T0) == [["one"]]
    assert delivered(board, T0 + HOUR) == []


def test_findings_of_a_rule_and_a_principal_within_the_time_are_one_message() -> None:
    board = Board(settings(route(group_seconds=300)))
    board.take(finding(title="1"), T0)
    assert delivered(board, T0) == [["1"]]
    for number in (2, 3):
        board.take(finding(title=str(number)), T0 + number * SECOND)
    board.take(finding(title="of bob", who="bob"), T0 + 4 * SECOND)
    assert delivered(board, T0 + 5 * SECOND) == [["of bob"]]
    assert delivered(board, T0 + 299 * SECOND) == []
    assert delivered(board, T0 + 300 * SECOND) == [["2", "3"]]


def test_a_letter_is_bounded_and_says_how_many_more_there_are() -> None:
    board = Board(settings())
    for number in range(LINES_MAX + 5):
        board.take(finding(title=str(number)), T0)
    (parcel,) = board.due(T0)
    assert (len(parcel.letters[0]["lines"]), parcel.letters[0]["more"]) == (LINES_MAX, 5)
    board.attempted(attempt(parcel, T0))
    assert board.waiting() == {parcel.target: 0}


def test_what_comes_while_a_message_is_on_its_way_is_told_in_the_next() -> None:
    board = Board(settings(route(group_seconds=10)))
    board.take(finding(title="1"), T0)
    (parcel,) = board.due(T0)
    board.take(finding(title="2"), T0)
    board.attempted(attempt(parcel, T0))
    assert delivered(board, T0 + 10 * SECOND) == [["2"]]


def test_one_that_grew_worse_while_it_was_on_its_way_is_told_again() -> None:
    board, one = Board(settings(route(group_seconds=0))), finding(title="1", severity="medium")
    board.take(one, T0)
    (parcel,) = board.due(T0)
    board.take({**one, "act": "repeated", "severity": "critical"}, T0 + SECOND)
    board.attempted(attempt(parcel, T0 + 2 * SECOND))
    assert delivered(board, T0 + 2 * SECOND) == [["1"]]


def test_more_letters_than_a_bound_share_one() -> None:
    board = Board(settings(route(hour_max=5)))
    for number in range(LETTERS_MAX + 3):
        board.take(finding(who=f"caller-{number}"), T0)
    assert sum(board.waiting().values()) == LETTERS_MAX + 3
    assert sum(1 for key in board.rows if key.startswith("letter/")) == LETTERS_MAX + 1


def test_one_that_is_worse_than_it_was_is_told_again_and_a_reopened_one_too() -> None:
    board, one = Board(settings(route(group_seconds=0))), finding(title="1", severity="medium")
    board.take(one, T0)
    worse: FindingRecord = {**one, "act": "repeated", "severity": "critical", "raised_at": T0 + SECOND}
    assert board.take(worse, T0 + SECOND) == "told"
    assert [line["severity"] for line in board.due(T0 + SECOND)[0].letters[0]["lines"]] == ["critical"]
    assert delivered(board, T0 + SECOND) == [["1"]]
    closed = acted(one, "closed", at=T0 + 2 * SECOND, by="cli:ann", verdict="benign")
    assert board.take(closed, T0 + 2 * SECOND) == "known"
    assert board.take(acted(one, "reopened", at=T0 + 3 * SECOND, by="cli:ann"), T0 + 3 * SECOND) == "told"
    assert delivered(board, T0 + 3 * SECOND) == [["1"]]


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({}, True),
        ({"severities": ("critical",)}, False),
        ({"severities": ("high", "critical")}, True),
        ({"rules": ("secret-*",)}, True),
        ({"rules": ("Secret-*", "trail-?")}, False),
        ({"connections": ("prod",)}, True),
        ({"connections": ("staging",)}, False),
    ],
)
def test_a_route_takes_what_it_names(over: Any, told: bool) -> None:
    assert wants(route(**over), finding()) is told


def test_a_pattern_with_brackets_means_the_brackets() -> None:
    assert wants(route(rules=("a[b]*",)), finding("a[b]c"))
    assert not wants(route(rules=("a[b]*",)), finding("ab"))


@pytest.mark.parametrize(
    ("rule", "principal", "covers"),
    [
        ("secret-*", "", True),
        ("", f"{ISSUER}|alice", True),
        ("", "|alice", True),
        ("secret-*", "|bob", False),
        ("other", "|alice", False),
    ],
)
def test_a_silence_in_the_settings_covers_until_it_ends(rule: str, principal: str, covers: bool) -> None:
    silence = Silence(T0 + HOUR, "ann", "a drill", rule, principal)
    board = Board(settings(silences=(silence,)))
    assert board.take(finding(), T0) == ("silenced" if covers else "told")
    assert board.take(finding(at=T0 + HOUR), T0 + HOUR) == "told"


def test_a_silence_by_the_command_line_is_kept_and_taken_back() -> None:
    board = Board(settings())
    record = alerts_silenced(
        STAMP, "secret-*", "", "alice", by="cli:ann", reason="a drill", expires_at=T0 + HOUR
    )
    board.silence(record["target"], record)
    board = Board(settings(), {key: row for key, row in board.changed().items() if row})
    found = board.silence_of(finding(), T0)
    assert found is not None
    assert (found.by, found.why) == ("cli:ann", "a drill")
    assert board.take(finding(), T0) == "silenced"
    board.silence(record["target"], None)
    assert board.take(finding(), T0) == "told"
    with pytest.raises(CodecError):
        board.silence(record["target"], {**record, "detail": "{}"})


def test_a_failed_delivery_is_tried_again_later_and_later_until_it_is_taken() -> None:
    board = Board(settings(retry_seconds=2, retry_seconds_max=10, failing_seconds=1_000))
    board.take(finding(title="1"), T0)
    now, waits = T0, []
    for _ in range(5):
        (parcel,) = board.due(now)
        assert board.attempted(attempt(parcel, now, "refused")) == []
        before = now
        while not board.due(now):
            now += SECOND
        waits.append((now - before) // SECOND)
    assert waits == [2, 4, 8, 10, 10]
    assert board.failing()[parcel.target]
    assert delivered(board, now) == [["1"]]
    assert not board.failing()[parcel.target]


def test_a_url_that_keeps_failing_is_one_finding_for_the_other_routes() -> None:
    broken, other = route("broken"), route("other")
    board = Board(settings(broken, other, retry_seconds=30, retry_seconds_max=30, failing_seconds=60))
    board.take(finding(title="1"), T0)
    raised, now = [], T0
    for _ in range(6):
        for parcel in board.due(now):
            fault = "refused" if parcel.route is broken else ""
            raised += board.attempted(attempt(parcel, now, fault))
        now += 30 * SECOND
    (failed,) = raised
    assert (failed["rule"], failed["attributes"]["route"]) == ("delivery-failed", "broken")
    assert failed["evidence"][-1] == "refused"
    board.take(failed, now)
    told = {parcel.route.name: parcel.letters[0]["rule"] for parcel in board.due(now)}
    assert told == {"broken": "secret-reads", "other": "delivery-failed"}


def test_beyond_the_limit_all_that_waits_is_told_in_one_message_and_nothing_is_lost() -> None:
    board = Board(settings(route(hour_max=3, group_seconds=0)))
    for number in range(10):
        board.take(finding(f"rule-{number}", title=str(number)), T0 + number)
    told = delivered(board, T0 + SECOND)
    assert [len(titles) for titles in told] == [1, 1, 8]
    assert sorted(title for titles in told for title in titles) == [str(number) for number in range(10)]
    for number in (10, 11):
        board.take(finding(f"rule-{number}", title=str(number)), T0 + 2 * SECOND)
    assert delivered(board, T0 + 3 * SECOND) == []
    later = delivered(board, T0 + SECOND + HOUR)
    assert sorted(title for titles in later for title in titles) == ["10", "11"]


def test_the_worst_is_told_first() -> None:
    board = Board(settings())
    for severity in ("low", "critical", "medium"):
        board.take(finding(f"rule-{severity}", severity=severity, title=severity), T0)
    assert delivered(board, T0) == [["critical"], ["medium"], ["low"]]


def test_a_board_that_was_read_again_goes_on_where_it_was() -> None:
    board = Board(settings(route(group_seconds=300)))
    board.take(finding(title="1"), T0)
    delivered(board, T0)
    board.take(finding(title="2"), T0)
    again = Board(settings(route(group_seconds=300)), {k: r for k, r in board.changed().items() if r})
    assert again.due(T0 + SECOND) == []
    assert delivered(again, T0 + 300 * SECOND) == [["2"]]


def test_what_waits_for_a_url_that_is_gone_goes_to_those_that_are_there() -> None:
    board = Board(settings(route("old")))
    for number in range(LINES_MAX):
        board.take(finding(title=str(number)), T0)
    rows = {key: row for key, row in board.changed().items() if row}
    again = Board(settings(route("new")), rows)
    assert again.rehome(T0) == LINES_MAX
    assert len(delivered(again, T0)[0]) == LINES_MAX
    assert again.orphans() == []


def test_what_is_over_is_forgotten() -> None:
    board, one = Board(settings(route(group_seconds=60))), finding()
    record = alerts_silenced(STAMP, "x", "", "", by="cli:ann", reason="", expires_at=T0 + HOUR)
    board.silence(record["target"], record)
    board.take(one, T0)
    delivered(board, T0)
    board.prune(T0 + 59 * SECOND)
    assert any(key.startswith("letter/") for key in board.rows)
    board.prune(T0 + HOUR)
    assert {key.partition("/")[0] for key in board.rows} == {"finding", "target"}
    board.prune(T0 + FINDINGS_KEPT + SECOND)
    assert {key.partition("/")[0] for key in board.rows} == {"target"}
