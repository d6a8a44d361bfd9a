"""Who is who in the directory, what a person sees, and what waits for whom."""

from __future__ import annotations

from typing import Any, cast

import pytest

from console.delegations import Given
from console.directory import Directory, Person
from console.settings import PersonEntry
from console.sight import Acquaintance, Sight
from console.standing import Standing
from schemas.approvals import ApprovalRequest, ApprovalSettled, Delegation
from tests.processors.approvals.making import ISSUER, delegation, request_fields

ANN = PersonEntry(
    (f"{ISSUER}|ann", "slack:T1/U1", "terminal:ann@laptop", "mail:Ann@Example.com"), ("security",)
)
CARL = PersonEntry(("slack:T1/U3",), ("owners",))


def standing(state: str = "pending", approvers: tuple[str, ...] = (), **over: Any) -> Standing:
    settled = {"state": state, "approvers": list(approvers), "review_due_at": None, "reviewed_by": ""}
    if state == "broken":
        settled |= {"state": "used", "review_due_at": 1}
    return Standing(cast("ApprovalRequest", request_fields(1, **over)), cast("ApprovalSettled", settled))


def sight(who: Person, *held: Given, **more: Any) -> Sight:
    return Sight(
        who, Acquaintance([(f"{ISSUER}|bob", "|bob@laptop"), (f"{ISSUER}|ann", "|ann@laptop")]), held, **more
    )


def given(giver: str, taker: str, *groups: str) -> Given:
    made = delegation(giver, taker, groups or ("owners",))
    return Given("d-1", cast("Delegation", made), "")


def owner(name: str) -> Person:
    return Person(ISSUER, name, ("owners",))


def test_a_person_is_found_by_every_name_of_a_provider_in_any_case() -> None:
    directory = Directory([ANN, CARL])
    for provider, name in (("slack", "t1/u1"), ("mail", "ann@example.COM")):
        found = directory.person_of(provider, name)
        assert found
        assert (found.issuer, found.subject, found.groups) == (ISSUER, "ann", ("security",))
        assert "|ann@laptop" in found.aliases


@pytest.mark.parametrize(
    ("provider", "name"),
    [("slack", "T1/U2"), ("", "x"), ("slack", ""), ("https", "//id.example.com|ann"), ("slack", "a|b")],
)
def test_a_stranger_is_nobody(provider: str, name: str) -> None:
    assert Directory([ANN]).person_of(provider, name) is None


def test_who_has_no_issuer_decides_by_the_name_of_the_provider() -> None:
    found = Directory([CARL]).person_of("slack", "T1/U3")
    assert found == Person("slack", "T1/U3", ("owners",), ("slack:T1/U3",))


def test_a_token_brings_its_own_groups_and_the_directory_its_names() -> None:
    known = Directory([ANN]).known(Person(ISSUER, "ann", ("dev",)))
    assert known.groups == ("dev",)
    assert set(known.aliases) == {"slack:T1/U1", "|ann@laptop", "mail:Ann@Example.com"}
    assert Directory().known(owner("eve")) == owner("eve")


def test_reviewers_requesters_auditors_and_revokers_see_and_nobody_else() -> None:
    one = standing()
    seen = [sight(owner("ann")), sight(Person(ISSUER, "bob")), sight(Person("", "bob@laptop"))]
    seen += [sight(Person(ISSUER, "x"), auditor=True), sight(Person(ISSUER, "x"), revoker=True)]
    seen.append(sight(Person(ISSUER, "guest"), given("ann", "guest")))
    assert all(each.sees(one) for each in seen)
    for stranger in (Person(ISSUER, "eve", ("visitors",)), Person("https://other", "bob")):
        assert not sight(stranger).sees(one)


def test_it_waits_for_reviewers_who_have_not_agreed_and_never_for_the_requester() -> None:
    assert sight(owner("ann")).waits(standing())
    assert not sight(owner("bob")).waits(standing())
    assert not sight(Person("", "bob@laptop", ("owners",))).waits(standing())
    agreed = standing(approvers=("|ann@laptop",))
    assert not sight(owner("ann")).waits(agreed)
    assert sight(owner("eve")).waits(agreed)
    assert not sight(owner("eve")).waits(standing("approved"))
    assert sight(owner("eve")).waits(standing("broken"))


def test_a_delegation_is_taken_where_it_is_needed_and_counts() -> None:
    guest = Person(ISSUER, "guest", ("visitors",))
    held = given("ann", "guest")
    assert sight(guest, held).instead_of(standing()) is held
    assert sight(owner("eve"), held).instead_of(standing()) is None
    assert sight(guest, given("bob", "guest")).instead_of(standing()) is None
    assert sight(guest, given("ann", "guest", "others")).instead_of(standing()) is None
    assert sight(owner("bob"), held).instead_of(standing()) is None
