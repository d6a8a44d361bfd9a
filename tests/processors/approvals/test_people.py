"""Who counts, how many it takes, and when."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.approvals.people import People
from processors.approvals.quorum import met
from schemas.approvals import QuorumPart
from schemas.hours import hours
from tests.processors.approvals.making import SECOND, T0

GROUPS = st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=3)
PARTS = st.lists(
    st.builds(
        lambda names, people: QuorumPart(reviewers=sorted(names), people=people), GROUPS, st.integers(1, 2)
    ),
    min_size=1,
    max_size=2,
)


@settings(max_examples=150, deadline=None)
@given(PARTS, st.lists(GROUPS, max_size=4))
def test_a_quorum_is_met_when_some_seating_fits(
    parts: list[QuorumPart], voices: list[frozenset[str]]
) -> None:
    seats = [set(part["reviewers"]) for part in parts for _ in range(part["people"])]
    fits = any(
        all(seat & voice for seat, voice in zip(seats, order, strict=True))
        for order in permutations(voices, len(seats))
    )
    assert met(parts, voices) == fits


def test_names_that_are_linked_over_others_are_one_person() -> None:
    people = People([("a|x", "mail:x@y"), ("mail:X@y", "b|x")])
    assert (
        people.person("a", "x") == people.person("b", "x") == people.person("c", "z", ["mail:x@Y"]) - {"c|z"}
    )
    assert not people.person("a", "x") & people.person("a", "y")
    assert "" not in people.person("a", "x", [""])


MONDAY_1333 = T0


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("", True),
        ("mon 13:33-13:34 UTC", True),
        ("mon 13:00-13:33 UTC", False),
        ("tue-sun 00:00-24:00 UTC", False),
        ("sat-mon 00:00-24:00 UTC", True),
        ("mon 15:00-16:00 Europe/Berlin", True),
        ("mon 13:00-14:00 Europe/Berlin", False),
        ("sun 22:00-14:00 UTC", True),
        ("mon 22:00-14:00 UTC", False),
        ("fri 08:00-12:00, mon 13:00-14:00 UTC", True),
    ],
)
def test_hours_are_of_the_place(text: str, is_open: bool) -> None:
    assert hours(text).open_at(MONDAY_1333) == is_open


def test_hours_follow_summer_time() -> None:
    winter = T0 + 60 * 86_400 * SECOND
    assert not hours("mon-sun 15:00-16:00 Europe/Berlin").open_at(winter)
    assert hours("mon-sun 14:00-15:00 Europe/Berlin").open_at(winter)


@pytest.mark.parametrize(
    "text",
    [
        "always",
        "mon 8-18 UTC",
        "mon 08:00-18:00",
        "mon 08:00-08:00 UTC",
        "mon 24:00-25:00 UTC",
        "x 08:00-09:00 UTC",
    ],
)
def test_hours_written_otherwise_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not like"):
        hours(text)
