"""The interval set against a plain set of offsets."""

from hypothesis import given
from hypothesis import strategies as st

from processors.intervals import IntervalSet, first_offsets, text, total

OFFSETS = st.integers(0, 60)
RANGES = st.tuples(OFFSETS, st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def build(ranges: list[tuple[int, int]]) -> tuple[IntervalSet, set[int]]:
    """The set under test and its model."""
    intervals, model = IntervalSet(), set[int]()
    for start, end in ranges:
        intervals.add(start, end)
        model.update(range(start, end))
    return intervals, model


def offsets(ranges: list[tuple[int, int]]) -> list[int]:
    """Ranges, written out."""
    return [offset for start, end in ranges for offset in range(start, end)]


@given(st.lists(RANGES))
def test_holds_exactly_what_was_added_in_disjoint_ascending_intervals(ranges: list[tuple[int, int]]) -> None:
    intervals, model = build(ranges)
    assert offsets(list(intervals)) == sorted(model)
    assert all(
        end < start for (_, end), (start, _) in zip(list(intervals), list(intervals)[1:], strict=False)
    )
    assert [offset in intervals for offset in range(80)] == [offset in model for offset in range(80)]


@given(st.lists(RANGES), RANGES)
def test_holes_are_what_a_range_has_and_the_set_has_not(
    ranges: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    intervals, model = build(ranges)
    assert offsets(intervals.holes(*asked)) == sorted(set(range(*asked)) - model)


@given(st.lists(RANGES), OFFSETS)
def test_taking_drops_what_is_contiguous_and_below(ranges: list[tuple[int, int]], start: int) -> None:
    intervals, model = build(ranges)
    first = start
    while first in model:
        first += 1
    assert intervals.take_from(start) == first
    assert offsets(list(intervals)) == sorted(offset for offset in model if offset > first)


@given(st.lists(st.sampled_from([(0, 3), (5, 6), (9, 14)]), unique=True).map(sorted), st.integers(0, 20))
def test_first_offsets_are_a_prefix(ranges: list[tuple[int, int]], count: int) -> None:
    assert offsets(first_offsets(ranges, count)) == offsets(ranges)[:count]
    assert total(ranges) == len(offsets(ranges))


def test_ranges_read_like_page_numbers() -> None:
    assert text([(3, 4), (7, 10)]) == "3, 7-9"
    assert text([(n * 2, n * 2 + 1) for n in range(30)], shown=2) == "0, 2, …"
