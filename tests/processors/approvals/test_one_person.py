"""One person under several names is one person: nobody approves their own call by another way in, or agrees twice."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.approvals import ApprovalSettled
from tests.processors.approvals.making import ISSUER, Desk, decision, delegation, office, request

OTHER = "https://login.example.org"
BOB = (
    f"{ISSUER}|bob",
    f"{OTHER}|b.jones",
    "terminal:bob@laptop",
    "slack:T1/U1",
    "teams:t-1/o-1",
    "jira:5b10",
    "servicenow:bjones",
    "webhook:pager/bob",
    "mail:bob@example.com",
)
ANN = (f"{ISSUER}|ann", "terminal:ann@laptop", "slack:T1/U2")


@pytest.fixture
def desk() -> Desk:
    return Desk(office=office((BOB, ANN)))


def named(issuer: str, subject: str, **over: Any) -> dict[str, Any]:
    return {"who_issuer": issuer, "who_subject": subject, **over}


WAYS = {
    "a second client of the same identity": named(ISSUER, "bob"),
    "a second issuer": named(OTHER, "b.jones"),
    "a terminal": named("", "bob@laptop"),
    "a terminal in other letters": named("", "Bob@LAPTOP"),
    "slack": named("slack", "T1/U1"),
    "slack, with the names that the directory adds": named(
        "slack", "T1/U1", who_aliases=[f"{ISSUER}|bob", "terminal:bob@laptop"]
    ),
    "teams": named("teams", "t-1/o-1"),
    "a ticket in jira": named("jira", "5b10"),
    "a ticket in servicenow": named("servicenow", "bjones"),
    "a webhook": named("webhook", "pager/bob"),
    "an unknown issuer that knows the same mail address": named(
        "https://third.example", "777", who_aliases=["mail:BOB@example.com"]
    ),
    "the directory's name for somebody else, beside an own one": named(
        ISSUER, "carl", who_aliases=["slack:T1/U1"]
    ),
    "a delegation that was given to one": named(ISSUER, "bob", delegation=delegation("ann", "bob")),
    "a delegate": named(ISSUER, "carl", delegation=delegation("bob", "carl")),
    "a group of admins": named(ISSUER, "bob", who_groups=["owners", "security-on-call", "admins"]),
}  # fmt: skip


def tried(desk: Desk, who: dict[str, Any], verb: str = "approve", **asked: Any) -> ApprovalSettled:
    desk.asked(request(**asked))
    (answer,) = desk.told(decision(1, verb=verb, **who))
    return answer


@pytest.mark.parametrize("who", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_abuse_75_nobody_decides_on_an_own_call_by_another_way_in(
    desk: Desk, who: dict[str, Any], verb: str
) -> None:
    answer = tried(desk, who, verb)
    assert (answer["state"], answer["approvers"]) == ("pending", [])
    assert answer["refusal"] == "nobody decides what they asked for themselves"
    assert desk.findings() == ["approval-self"]


ASKERS = {
    "a second issuer": {"principal_issuer": OTHER, "principal_subject": "b.jones", "principal_aliases": []},
    "an issuer that knows only the mail address": {
        "principal_issuer": "https://third.example",
        "principal_subject": "777",
        "principal_aliases": ["mail:bob@EXAMPLE.com"],
    },
    "a second client": {"client_id": "another-agent", "session_id": "another"},
}


@pytest.mark.parametrize("asked", ASKERS.values(), ids=ASKERS.keys())
def test_abuse_75_whoever_asked_by_another_name_is_still_the_one_who_asked(
    desk: Desk, asked: dict[str, Any]
) -> None:
    answer = tried(desk, named("", "bob@laptop"), **asked)
    assert (answer["state"], desk.findings()) == ("pending", ["approval-self"])


def test_abuse_75_who_broke_the_glass_does_not_review_it_at_a_terminal(desk: Desk) -> None:
    terms = {"kind": "break_glass", "break_glass_groups": ["developers"], "review_seconds": 3_600}
    answer = tried(desk, named("", "bob@laptop", comment="all good"), "review", **terms)
    assert (answer["reviewed_by"], "approval-self" in desk.findings()) == ("", True)


def test_abuse_75_who_asked_may_think_better_of_it_under_any_name(desk: Desk) -> None:
    assert tried(desk, named("slack", "T1/U1"), "revoke")["state"] == "revoked"


def test_abuse_75_a_second_name_does_not_make_a_second_reviewer(desk: Desk) -> None:
    desk.asked(request(quorum=[{"reviewers": ["owners"], "people": 2}]))
    desk.told(decision(1, "ann"))
    for number, (issuer, subject) in enumerate([("", "ann@laptop"), ("slack", "T1/U2")], 2):
        (again,) = desk.told(decision(number, **named(issuer, subject)))
        assert (again["state"], again["refusal"]) == ("pending", "this person approved it already")
    (other,) = desk.told(decision(9, "carl"))
    assert (other["state"], len(other["approvers"])) == ("approved", 2)


def test_somebody_else_with_a_name_that_only_looks_alike_decides(desk: Desk) -> None:
    answer = tried(desk, named("", "bob@laptop2"))
    assert (answer["state"], answer["approvers"]) == ("approved", ["|bob@laptop2"])


# -- callers without identity

NOBODY = {"principal_issuer": "", "principal_subject": "anonymous", "principal_aliases": []}


@pytest.mark.parametrize("who", [named("", "ann@laptop"), named(ISSUER, "ann"), named("slack", "T1/U2")])
def test_abuse_75_what_somebody_without_identity_asks_for_nobody_approves(
    desk: Desk, who: dict[str, Any]
) -> None:
    answer = tried(desk, who, **NOBODY)
    assert answer["state"] == "pending"
    assert answer["refusal"].startswith("who asked is not known, so it could be whoever approves")


def test_what_somebody_without_identity_asks_for_can_be_denied(desk: Desk) -> None:
    assert tried(desk, named("", "ann@laptop"), "deny", **NOBODY)["state"] == "denied"


def test_it_is_approved_where_the_operator_says_that_agents_are_other_users() -> None:
    desk = Desk(office=office((), anonymous=True))
    assert tried(desk, named("", "ann@laptop"), **NOBODY)["state"] == "approved"
    strangers = Desk(office=office((), anonymous=True))
    answer = tried(strangers, named("", "ann@laptop", who_groups=["users"]), **NOBODY)
    assert (answer["state"], answer["refusal"]) == ("pending", "not one of the reviewers")
