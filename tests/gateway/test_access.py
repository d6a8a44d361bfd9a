"""Who may use a connection at all."""

from __future__ import annotations

import pytest

from gateway.access import Gate
from gateway.policy.facts import Call
from gateway.sessions import Principal
from gateway.settings import Access

ALICE = Principal("https://id", "alice", "t1", ("dev", "sre"))


@pytest.mark.parametrize(
    ("access", "let_in"),
    [
        (Access(), True),
        (Access(groups=("sre",)), True),
        (Access(groups=("ops",)), False),
        (Access(subjects=("alice",)), True),
        (Access(subjects=("Alice", "alice "), groups=("SRE",)), False),
        (Access(subjects=("bob",), groups=("dev",)), True),
    ],
)
def test_one_of_the_groups_or_subjects_is_needed_where_any_are_named(access: Access, let_in: bool) -> None:
    assert Gate(access, None).lets(ALICE, Call) is let_in


@pytest.mark.parametrize("holds", [True, False])
def test_the_condition_has_to_hold_beside(holds: bool) -> None:
    assert Gate(Access(groups=("sre",)), lambda _: holds).lets(ALICE, Call) is holds
    assert not Gate(Access(groups=("ops",)), lambda _: True).lets(ALICE, Call)


def test_the_facts_are_only_made_for_a_condition_that_is_asked() -> None:
    def made() -> Call:
        raise AssertionError("nobody asks")

    assert Gate(Access(), None).lets(ALICE, made)
    assert not Gate(Access(subjects=("bob",)), lambda _: True).lets(ALICE, made)
