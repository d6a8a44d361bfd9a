"""Which frames are known to be stored."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sinks.seen import Runs, SeenFrames

spans = st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(spans, max_size=30))
def test_runs_hold_exactly_what_was_added_and_touching_runs_are_one(added: list[tuple[int, int]]) -> None:
    runs, plain = Runs(), set[int]()
    for first, last in added:
        runs.add(first, last)
        plain |= set(range(first, last + 1))

    assert {number for number in range(80) if number in runs} == plain
    pairs = runs.pairs()
    assert all(first <= last for first, last in pairs)
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(pairs))


def test_a_lane_that_goes_on_is_one_run() -> None:
    runs = Runs()
    for number in range(1, 10_000):
        runs.add(number, number)

    assert runs.pairs() == [(1, 9_999)]


def test_a_number_of_one_lane_says_nothing_of_another() -> None:
    seen = SeenFrames()
    seen.add_all([("a", 1), ("a", 2), ("b", 9)])

    assert ("a", 2) in seen
    assert ("b", 2) not in seen
    assert ("c", 1) not in seen


def test_the_lane_longest_out_of_use_is_forgotten_first() -> None:
    seen = SeenFrames(lanes_max=2)
    for lane in ("a", "b", "a", "c"):
        seen.add(lane, 1, 1)

    assert ("a", 1) in seen
    assert ("b", 1) not in seen
    assert ("c", 1) in seen
