"""Which of two rules keeps longer, of rows and of bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.retention_rules import Rules, Terms, rules_of

days = st.none() | st.integers(7, 900)
terms = st.builds(Terms, days, st.none() | st.integers(1, 900))
rules = st.builds(Rules, terms, st.dictionaries(st.sampled_from("abc"), terms), st.integers(7, 400))


@pytest.mark.parametrize(
    ("now", "then", "shorter"),
    [
        (Terms(), Terms(400), True),
        (Terms(400), Terms(), False),
        (Terms(400), Terms(400, 400), False),
        (Terms(400), Terms(400, 30), True),
        (Terms(400, 30), Terms(300, 60), True),
        (Terms(400, 30), Terms(None, 30), False),
        (Terms(None, 30), Terms(), False),
    ],
)
def test_terms_are_shorter_when_rows_or_bodies_go_earlier(now: Terms, then: Terms, shorter: bool) -> None:
    assert bool(Rules(now).shortened_by(Rules(then))) == shorter


@given(rules, rules)
def test_the_longest_of_two_shortens_neither(one: Rules, other: Rules) -> None:
    longest = one.longest(other)
    assert one.shortened_by(longest) == []
    assert other.shortened_by(longest) == []


@given(rules)
def test_rules_survive_the_way_to_json_and_back(one: Rules) -> None:
    assert rules_of(one.plain()) == one
    assert rules_of(one.plain()).version == one.version


@given(rules, st.sampled_from("abcd"))
def test_no_row_goes_before_the_minimum(one: Rules, connection: str) -> None:
    kept = one.of(connection).days
    assert kept is None or kept >= one.minimum_days


def test_a_lower_minimum_is_shorter() -> None:
    assert Rules(minimum_days=30).shortened_by(Rules(minimum_days=7)) == ["minimum: 30 days would become 7"]
