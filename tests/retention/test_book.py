"""What holds by what was said: two people, the same words, in time, believed."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.people import People
from schemas.retention import RetentionAct, act_value, open_act
from schemas.retention_book import Book
from schemas.retention_content import Erasure, Hold, erasure_content, hold_content, person_mark
from schemas.retention_rules import DAY_US, Rules, Terms
from schemas.signatures import KeyRing
from tests.retention.acts import (
    ANN,
    ANN_AT_HOME,
    BOB,
    CLI,
    CONSOLE,
    NOW,
    STORE,
    STRANGER,
    TRUSTED,
    act,
    confirming,
    said,
)

EVER = Rules()
YEAR = Rules(Terms(400, 30))
SHORTER = {"base": EVER.version, "rules": YEAR.plain()}


def book(*acts: RetentionAct, alone: bool = False) -> Book:
    found = Book(KeyRing(TRUSTED), People([("https://idp|ann", "terminal:ann@host")]), alone=alone)
    started = act("started", "rules", {"base": "", "rules": EVER.plain()}, ("", "retention"), key=STORE)
    assert found.apply(started) == ""
    for each in acts:
        found.apply(each)
    return found


def rules(found: Book) -> Rules:
    assert found.in_force is not None
    return found.in_force.rules


def test_what_one_proposed_and_another_confirmed_is_in_force() -> None:
    proposal, confirmation = said("rules", SHORTER)

    found = book(proposal, confirmation)

    assert rules(found) == YEAR
    assert found.in_force is not None
    assert (found.in_force.cause, found.in_force.asked_by) == (
        proposal["proposal_id"],
        ("https://idp|ann", "https://idp|bob"),
    )


PROPOSAL = act("proposed", "rules", SHORTER)


@pytest.mark.parametrize(
    ("confirmation", "why"),
    [
        (confirming(PROPOSAL, ANN), "the same person"),
        (confirming(PROPOSAL, ANN_AT_HOME, key=CLI), "the same person"),
        (confirming(PROPOSAL, ("https://idp", "ANN")), "the same person"),
        (confirming(PROPOSAL, BOB, who_aliases=["https://idp|ann"]), "the same person"),
        (confirming(PROPOSAL, ANN, alone=True), "the same person"),
        (confirming(PROPOSAL, key=STRANGER), "unknown key"),
        (confirming(PROPOSAL, key=CLI), "may not speak for this issuer"),
        (confirming(PROPOSAL, key=STORE), "may not sign confirmed"),
        ({**confirming(PROPOSAL, ANN), "who_subject": "bob"}, "does not fit"),
        (confirming(PROPOSAL, content={"base": EVER.version, "rules": EVER.plain()}), "something else"),
        (confirming(PROPOSAL, kind="hold"), "content"),
        (confirming(PROPOSAL, proposal_id="0198f0f2-7c1e-7cc1-9c1e-0242ac120009"), "no such proposal"),
        (confirming(PROPOSAL, at=NOW + 8 * DAY_US), "lapsed"),
        (confirming(PROPOSAL, at=NOW - DAY_US), "older"),
    ],
)
def test_a_confirmation_that_is_none_changes_nothing(confirmation: Any, why: str) -> None:
    found = book(PROPOSAL)

    assert why in found.apply(confirmation)
    assert rules(found) == EVER


def test_one_person_alone_counts_only_where_the_settings_and_the_act_say_so() -> None:
    proposal = act("proposed", "rules", SHORTER)

    assert rules(book(proposal, confirming(proposal, ANN, alone=True), alone=True)) == YEAR
    assert rules(book(proposal, confirming(proposal, ANN), alone=True)) == EVER


def test_a_confirmation_counts_once_and_not_after_the_proposal_was_taken_back() -> None:
    proposal, confirmation = said("rules", SHORTER)
    withdrawal = act("withdrawn", "rules", SHORTER, proposal_id=proposal["proposal_id"])

    assert rules(book(proposal, withdrawal, confirmation)) == EVER
    assert book(proposal, confirmation).apply(confirmation) == "it was said before"


def test_nobody_takes_back_what_somebody_else_proposed() -> None:
    hold = act("proposed", "hold", hold_content(Hold(connection="a")))
    withdrawal = act("withdrawn", "hold", hold["content"], BOB, proposal_id=hold["proposal_id"])

    assert len(book(hold, withdrawal).holds(NOW)) == 1


def test_rules_that_were_proposed_in_place_of_others_than_those_in_force_do_not_count() -> None:
    first, second = act("proposed", "rules", SHORTER), act("proposed", "rules", SHORTER)

    found = book(first, second, confirming(first))

    assert "the rules changed" in found.apply(confirming(second))


def test_a_file_alone_shortens_nothing_even_when_the_store_signs_that() -> None:
    shorter = act("lengthened", "rules", SHORTER, ("", "retention"), key=STORE)
    again = act("started", "rules", SHORTER, ("", "retention"), key=STORE)

    found = book()

    assert found.apply(shorter) == "a file alone shortens nothing"
    assert found.apply(again) == "it has started already"
    assert "may not sign started" in found.apply(act("started", "rules", SHORTER, key=CONSOLE))


def test_a_hold_ends_when_its_release_is_confirmed() -> None:
    hold = said("hold", hold_content(Hold(subject="carl")))
    release = act("proposed", "release", {"hold_id": hold[0]["proposal_id"]})

    found = book(*hold, release)
    assert [str(each) for _, each in found.holds(NOW + 900 * DAY_US)] == ["subject carl"]

    assert found.apply(confirming(release)) == ""
    assert found.holds(NOW) == []
    assert "no such hold" in book(release).apply(confirming(release))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("rules", "{"),
        ("rules", '{"base":"","rules":{}}'),
        ("rules", '{"base": "", "rules": {}}'),
        ("rules", {"base": "", "rules": {**YEAR.plain(), "minimum_days": 0}}),
        ("rules", {"base": "", "rules": {**YEAR.plain(), "default": {"days": 3, "body_days": None}}}),
        ("rules", {"base": "", "rules": {**YEAR.plain(), "default": {"days": True, "body_days": None}}}),
        ("hold", {"session_id": "x"}),
        ("hold", {"everything": 1}),
        ("release", {"hold_id": "x"}),
        ("erasure", {"person": "", "session_id": ""}),
        ("erasure", {"person": "carl", "session_id": ""}),
    ],
)
def test_a_proposal_that_says_nothing_that_can_be_done_is_none(kind: str, content: Any) -> None:
    assert book().apply(act("proposed", kind, content)).startswith("broken")


def test_an_erasure_holds_no_name_and_two_deployments_mark_a_person_differently() -> None:
    mark = person_mark(b"k" * 32, "https://idp", "carl")
    proposal = act("proposed", "erasure", erasure_content(Erasure(person=mark)))

    assert b"carl" not in act_value(proposal)
    assert person_mark(b"o" * 32, "https://idp", "carl") != mark
    assert [each.person for _, each in book(proposal, confirming(proposal)).erasures(NOW)] == [mark]


def test_an_act_under_another_key_of_the_topic_is_none() -> None:
    proposal = act("proposed", "rules", SHORTER)

    assert open_act(proposal["proposal_id"].encode(), act_value(proposal)) == proposal
    with pytest.raises(ValueError, match="do not say the same"):
        open_act(b"other", act_value(proposal))
