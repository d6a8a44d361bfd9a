"""What the machine lets through, what it refuses, and how each approval ends."""

from __future__ import annotations

from typing import Any

import pytest

from processors.approvals.passing import KEEP, PARK
from processors.approvals.reading import partition_of
from schemas.codec import codec
from schemas.signatures import SigningKey
from tests.processors.approvals.making import (
    CONSOLE,
    GATEWAY,
    ISSUER,
    PARTITIONS,
    SECOND,
    STRANGER,
    T0,
    Desk,
    decision,
    delegation,
    request,
    use,
)

TWO_KINDS = [{"reviewers": ["security"], "people": 1}, {"reviewers": ["owners"], "people": 1}]
GLASS: dict[str, Any] = {"kind": "break_glass", "break_glass_groups": ["developers"], "review_seconds": 3_600}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_call_is_asked_approved_and_used_once(desk: Desk) -> None:
    (pending,) = desk.asked(request())
    assert (pending["state"], pending["version"], pending["uses_left"]) == ("pending", 1, 0)
    (approved,) = desk.told(decision(1))
    assert (approved["state"], approved["uses_left"], approved["approvers"]) == (
        "approved",
        1,
        [f"{ISSUER}|ann"],
    )
    (used,) = desk.told(use(2))
    assert (used["state"], used["use_id"], used["uses_left"], used["version"]) == ("used", "exchange-1", 0, 3)
    assert desk.findings() == []


def test_abuse_73_a_use_with_other_arguments_is_refused(desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1))
    (answer,) = desk.told(use(2, argument_digest="00" * 32))
    assert (answer["state"], answer["use_id"]) == ("approved", "")
    assert answer["refusal"] == "the call is not the one that was asked for"
    (answer,) = desk.told(use(3, policy_version="00" * 32))
    assert (answer["use_id"], answer["refusal"]) == ("", "the policy has changed since it was asked for")
    (answer,) = desk.told(use(4, who_subject="mallory"))
    assert (answer["use_id"], answer["refusal"]) == ("", "it is somebody else's")
    assert desk.findings() == ["approval-altered"] * 3


def test_abuse_73_who_saw_another_call_has_not_approved_this_one(desk: Desk) -> None:
    desk.asked(request())
    (answer,) = desk.told(decision(1, argument_digest="00" * 32))
    assert answer["state"] == "pending"
    assert desk.findings() == ["approval-altered"]


def test_abuse_74_the_same_approval_twice_runs_once(desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1))
    answers = [desk.told(use(2, "one")), desk.told(use(3, "two")), desk.told(use(4, "one"))]
    assert [answer["use_id"] for (answer,) in answers] == ["one", "", ""]
    assert [answer["state"] for (answer,) in answers] == ["used"] * 3


@pytest.mark.parametrize(
    "who",
    [
        {"who_subject": "bob"},
        {"who_subject": "BOB"},
        {"who_subject": "admin", "who_aliases": ["mail:Bob@Example.com"]},
        {"who_issuer": "", "who_subject": "bob@laptop"},
        {"who_subject": "carl", "delegation": delegation("bob", "carl")},
        {"who_subject": "bob", "delegation": delegation("ann", "bob")},
        {"who_subject": "bob", "who_groups": ["owners", "admins", "security-on-call"]},
    ],
    ids=[
        "itself",
        "in capitals",
        "by mail",
        "at a terminal",
        "by a delegate",
        "as a delegate",
        "as an admin",
    ],
)
def test_abuse_75_nobody_approves_what_they_asked_for(desk: Desk, who: dict[str, Any]) -> None:
    desk.asked(request())
    (answer,) = desk.told(decision(1, **who))
    assert (answer["state"], answer["approvers"]) == ("pending", [])
    assert answer["refusal"] == "nobody decides what they asked for themselves"
    assert desk.findings() == ["approval-self"]


def test_abuse_75_an_admin_who_is_no_reviewer_approves_nothing(desk: Desk) -> None:
    desk.asked(request())
    (answer,) = desk.told(decision(1, "root", who_groups=["admins", "security-on-call"]))
    assert (answer["state"], answer["refusal"]) == ("pending", "not one of the reviewers")


def test_abuse_76_after_its_end_it_is_neither_approved_nor_used(desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1))
    end = T0 + 900 * SECOND
    expired, refused = desk.told(use(2, at=end))
    assert (expired["state"], expired["at"], expired["decision_id"]) == ("expired", end, "")
    assert (refused["refusal"], refused["use_id"]) == ("it is expired", "")


def test_abuse_76_time_ends_what_nobody_decides_and_says_when(desk: Desk) -> None:
    desk.asked(request())
    end = T0 + 900 * SECOND
    assert desk.tick(end - 1) == []
    (expired,) = desk.tick(end + 5 * SECOND)
    assert (expired["state"], expired["at"]) == ("expired", end)
    (late,) = desk.told(decision(1))
    assert (late["state"], late["refusal"]) == ("expired", "it is expired already")


def test_abuse_76_a_revoked_one_is_not_used(desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1))
    (revoked,) = desk.told(decision(2, "dan", "revoke"))
    assert (revoked["state"], revoked["uses_left"]) == ("revoked", 0)
    (answer,) = desk.told(use(3))
    assert (answer["use_id"], answer["refusal"]) == ("", "it is revoked")


@pytest.mark.parametrize(
    ("who", "over", "state"),
    [
        ("bob", {}, "revoked"),
        ("eve", {"who_groups": ["security-on-call"]}, "revoked"),
        ("eve", {"who_groups": ["developers"]}, "pending"),
    ],
)
def test_who_asked_who_reviews_and_who_is_named_may_revoke(
    desk: Desk, who: str, over: dict[str, Any], state: str
) -> None:
    desk.asked(request())
    assert desk.told(decision(1, who, "revoke", **over))[0]["state"] == state


def test_abuse_77_of_two_reviewers_at_once_the_first_on_the_log_decides(desk: Desk) -> None:
    desk.asked(request())
    at = T0 + SECOND
    (denied,) = desk.told(decision(1, "ann", "deny", at=at))
    (other,) = desk.told(decision(2, "dan", at=at))
    assert (denied["state"], other["state"], other["refusal"]) == ("denied", "denied", "it is denied already")


def test_abuse_80_a_forged_decision_changes_nothing_and_is_found(desk: Desk) -> None:
    desk.asked(request())
    forged: list[SigningKey] = [STRANGER, GATEWAY]
    for number, key in enumerate(forged):
        assert desk.told(decision(number, key=key)) == []
    assert desk.told(decision(3, "bob", "use", key=CONSOLE, component="console", use_id="x")) == []
    assert desk.findings() == ["approval-forged"] * 3
    assert desk.told(decision(4))[0]["state"] == "approved"


def test_abuse_80_a_forged_request_is_none(desk: Desk) -> None:
    assert desk.asked(request(key=STRANGER)) == []
    assert desk.asked(request(key=CONSOLE)) == []
    assert desk.findings() == ["approval-forged"] * 2


def test_abuse_80_a_replayed_decision_is_found(desk: Desk) -> None:
    desk.asked(request(kind="standing", grant_seconds=600, uses_max=3))
    desk.told(decision(1))
    first = use(2, "one")
    assert desk.told(first)[0]["uses_left"] == 2
    assert desk.told(first) == []
    (late,) = desk.told(decision(3, at=T0 - 3_600 * SECOND))
    assert late["refusal"] == "it is older than the request"
    assert desk.findings() == ["approval-replayed"] * 2


def test_abuse_80_a_decision_older_than_the_same_persons_last_is_found(desk: Desk) -> None:
    desk.asked(request(comment_required=True))
    desk.told(decision(9))
    (answer,) = desk.told(decision(5, comment="an old one"))
    assert answer["refusal"] == "it is older than what the same person decided since"
    assert desk.findings() == ["approval-replayed"]


def test_abuse_80_a_request_replayed_or_changed_under_its_id_is_found(desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1))
    desk.told(use(2))
    assert desk.asked(request()) == []
    assert desk.asked(request(tool="other")) == []
    desk.tick(T0 + 900 * SECOND + KEEP)
    assert desk.asked(request()) == []
    assert desk.findings() == ["approval-replayed"] * 3


def test_abuse_80_what_lies_on_another_partition_is_a_dead_letter(desk: Desk) -> None:
    key, value = request()
    own = partition_of(key, PARTITIONS)
    assert desk.put("approvals.requested", key, value, (own + 1) % PARTITIONS) == []
    letter = codec("dead_letter").decode(desk.said[-1].value)
    assert (letter["reason_code"], letter["component"]) == ("wrong_partition", "processors.approvals")


def test_one_of_security_and_one_of_the_owners_are_two_people(desk: Desk) -> None:
    desk.asked(request(quorum=TWO_KINDS))
    both = ["security", "owners"]
    assert desk.told(decision(1, who_groups=both))[0]["state"] == "pending"
    assert desk.told(decision(2, who_groups=both))[0]["refusal"] == "this person approved it already"
    assert (
        desk.told(decision(3, "eve", who_groups=["developers"]))[0]["refusal"] == "not one of the reviewers"
    )
    (approved,) = desk.told(decision(4, "dan", who_groups=["security"]))
    assert (approved["state"], len(approved["approvers"])) == ("approved", 2)


def test_two_of_one_group_do_not_make_two_groups(desk: Desk) -> None:
    desk.asked(request(quorum=TWO_KINDS))
    assert desk.told(decision(1))[0]["state"] == "pending"
    assert desk.told(decision(2, "dan"))[0]["state"] == "pending"
    assert desk.told(decision(3, "eve", who_groups=["security"]))[0]["state"] == "approved"


def test_one_person_by_two_names_is_one_person(desk: Desk) -> None:
    desk.asked(request(quorum=[{"reviewers": ["owners"], "people": 2}]))
    desk.told(decision(1, who_aliases=["mail:ann@example.com"]))
    (again,) = desk.told(decision(2, "ann-admin", who_aliases=["mail:ANN@example.com"]))
    assert (again["state"], again["refusal"]) == ("pending", "this person approved it already")
    (theirs,) = desk.told(decision(3, "carl", delegation=delegation("ann", "carl")))
    assert theirs["refusal"] == "this person approved it already"


def test_a_person_may_be_named_and_a_group_cannot_pass_for_one(desk: Desk) -> None:
    desk.asked(request(quorum=[{"reviewers": [f"{ISSUER}|ann"], "people": 1}]))
    (answer,) = desk.told(decision(1, "eve", who_groups=[f"{ISSUER}|ann"]))
    assert answer["refusal"] == "not one of the reviewers"
    assert desk.told(decision(2, who_groups=[]))[0]["state"] == "approved"


def test_a_comment_is_given_where_the_rule_demands_one(desk: Desk) -> None:
    desk.asked(request(comment_required=True))
    assert desk.told(decision(1, comment=" "))[0]["refusal"] == "the rule demands a comment"
    (approved,) = desk.told(decision(2, comment="looked at it"))
    assert (approved["state"], approved["comment"]) == ("approved", "looked at it")


def test_it_is_approved_in_working_hours_and_denied_at_any(desk: Desk) -> None:
    desk.asked(request(hours="tue-fri 08:00-18:00 UTC"))
    assert "only" in desk.told(decision(1))[0]["refusal"]
    assert desk.told(decision(2, verb="deny"))[0]["state"] == "denied"


def test_a_delegate_decides_until_the_date_and_no_longer(desk: Desk) -> None:
    desk.asked(request())
    given = delegation("ann", "carl", until_at=T0 + 5 * SECOND)
    theirs: dict[str, Any] = {"who_groups": [], "delegation": given}
    assert "not hold" in desk.told(decision(6, "carl", **theirs))[0]["refusal"]
    desk.tick(T0 + 2 * SECOND)
    assert desk.told(decision(7, "eve", at=T0 + 4 * SECOND, **theirs))[0]["refusal"].endswith(
        "somebody else's"
    )
    fresh = {**theirs, "delegation": delegation("ann", "carl", until_at=T0 + 50 * SECOND)}
    assert desk.told(decision(8, "carl", **fresh))[0]["approvers"] == [f"{ISSUER}|carl"]


def test_a_delegation_that_nobody_gave_is_forged(desk: Desk) -> None:
    desk.asked(request())
    given = {**delegation("eve", "carl"), "from_subject": "ann"}
    assert desk.told(decision(1, "carl", who_groups=[], delegation=given)) == []
    assert desk.findings() == ["approval-forged"]


def test_a_standing_grant_is_used_so_often_and_so_long(desk: Desk) -> None:
    desk.asked(request(kind="standing", grant_seconds=600, uses_max=2, bound="arguments.namespace == 'shop'"))
    (granted,) = desk.told(decision(1))
    assert (granted["uses_left"], granted["ends_at"]) == (2, T0 + 601 * SECOND)
    assert granted["bound"] == "arguments.namespace == 'shop'"
    states = [desk.told(use(n, f"use-{n}", argument_digest="77" * 32))[0]["state"] for n in (2, 3, 4)]
    assert states == ["approved", "used", "used"]


def test_access_is_granted_for_a_time_and_ends_by_itself(desk: Desk) -> None:
    desk.asked(request(kind="access", argument_digest="", grant_seconds=3_600))
    (granted,) = desk.told(decision(1, argument_digest=""))
    assert (granted["state"], granted["uses_left"], granted["ends_at"]) == (
        "approved",
        -1,
        T0 + 3_601 * SECOND,
    )
    (ended,) = desk.tick(T0 + 3_601 * SECOND)
    assert (ended["state"], ended["at"]) == ("expired", T0 + 3_601 * SECOND)


def test_breaking_the_glass_settles_at_once_is_found_and_looked_at(desk: Desk) -> None:
    (granted,) = desk.asked(request(**GLASS))
    assert (granted["state"], granted["review_due_at"]) == ("approved", T0 + 3_600 * SECOND)
    assert desk.told(use(1))[0]["state"] == "used"
    assert desk.told(decision(2, "bob", "review", comment="fine"))[0]["reviewed_by"] == ""
    assert "comment" in desk.told(decision(3, verb="review"))[0]["refusal"]
    assert desk.told(decision(4, verb="review", comment="justified"))[0]["reviewed_by"] == f"{ISSUER}|ann"
    desk.tick(T0 + 3_700 * SECOND)
    assert desk.findings() == ["break-glass", "approval-self"]


def test_a_broken_glass_that_nobody_looks_at_is_found(desk: Desk) -> None:
    desk.asked(request(**GLASS))
    desk.tick(T0 + 3_600 * SECOND)
    desk.tick(T0 + 3_700 * SECOND)
    assert desk.findings() == ["break-glass", "break-glass-unreviewed"]


@pytest.mark.parametrize("over", [{"principal_groups": ["guests"]}, {"reason": " "}])
def test_the_glass_is_for_a_named_group_with_a_reason(desk: Desk, over: dict[str, Any]) -> None:
    (answer,) = desk.asked(request(**{**GLASS, **over}))
    assert (answer["state"], bool(answer["refusal"])) == ("denied", True)
    assert desk.findings() == ["break-glass-refused"]


@pytest.mark.parametrize(
    "over",
    [
        {"expires_at": T0},
        {"expires_at": T0 + 31 * 86_400 * SECOND},
        {"quorum": []},
        {"quorum": [{"reviewers": [], "people": 1}]},
        {"quorum": [{"reviewers": ["owners"], "people": 0}]},
        {"quorum": [{"reviewers": ["owners"], "people": 9}]},
        {"hours": "always"},
        {"hours": "mon-fri 08:00-18:00 Atlantis"},
        {"argument_digest": ""},
        {"kind": "standing"},
        {"kind": "standing", "grant_seconds": 60, "uses_max": 1_001},
        {"kind": "access"},
        {"kind": "break_glass"},
        {"principal_subject": ""},
        {"grant_seconds": -1},
    ],
)
def test_what_cannot_be_asked_is_denied_with_its_reason(desk: Desk, over: dict[str, Any]) -> None:
    (answer,) = desk.asked(request(**over))
    assert (answer["state"], bool(answer["refusal"])) == ("denied", True)


def test_a_decision_that_comes_before_its_request_waits_for_it(desk: Desk) -> None:
    assert desk.told(decision(1)) == []
    assert desk.told(use(2)) == []
    states = [(record["state"], record["version"]) for record in desk.asked(request())]
    assert states == [("pending", 1), ("approved", 2), ("used", 3)]


def test_a_decision_on_what_nobody_asked_for_is_forgotten_and_found(desk: Desk) -> None:
    desk.told(decision(1))
    desk.tick(T0 + SECOND)
    desk.tick(T0 + SECOND + PARK - 1)
    assert desk.findings() == []
    desk.tick(T0 + SECOND + PARK)
    assert desk.findings() == ["approval-unknown"]
    assert [row for row in desk.table.values() if row and "approval_id" in row] == []


def test_an_ended_approval_is_forgotten_a_day_later(desk: Desk) -> None:
    desk.asked(request())
    desk.told(decision(1, verb="deny"))
    desk.tick(T0 + 900 * SECOND + KEEP - 1)
    assert [row for row in desk.table.values() if row and "approval_id" in row]
    desk.tick(T0 + 900 * SECOND + KEEP)
    assert [row for row in desk.table.values() if row and "approval_id" in row] == []
    assert desk.findings() == []


@pytest.mark.parametrize("topic", ["approvals.requested", "approvals.decided"])
def test_poison_is_a_dead_letter(desk: Desk, topic: str) -> None:
    _, value = request()
    for key, poison in ((b"k", b"nonsense"), (b"k", b""), (b"another", value)):
        assert desk.put(topic, key, poison) == []
        assert codec("dead_letter").decode(desk.said[-1].value)["reason_code"] == "undecodable"
