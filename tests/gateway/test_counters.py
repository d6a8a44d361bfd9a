"""Counts by session, bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.counters import SessionCounters


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_calls_and_refusals_are_counted_by_session(calls: list[tuple[str, bool]]) -> None:
    counters = SessionCounters()
    for session, refused in calls:
        counters.count(session, refused=refused)
    for session in "abcd":
        mine = [refused for each, refused in calls if each == session]
        assert counters.of(session) == (len(mine), sum(mine))


def test_the_session_that_was_quiet_longest_is_forgotten_first() -> None:
    counters = SessionCounters(sessions_max=2)
    for session in ("a", "b", "a", "c"):
        counters.count(session, refused=False)
    assert [counters.of(session) for session in "abc"] == [(2, 0), (0, 0), (1, 0)]
