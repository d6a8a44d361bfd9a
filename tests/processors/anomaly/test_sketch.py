"""Counting distinct things in little space."""

from hypothesis import given
from hypothesis import strategies as st

from processors.anomaly import novelty, sketch

things = st.lists(st.integers(0, 400).map(str), max_size=300)


def sketched(names: list[str]) -> bytes:
    made = b""
    for name in names:
        made = sketch.added(made, sketch.item(name))
    return made


@given(things, st.randoms())
def test_a_sketch_is_the_same_whatever_the_order(names: list[str], random: st.DataObject) -> None:
    shuffled = [*names, *names[:10]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sketched(shuffled) == sketched(names)


@given(things)
def test_up_to_64_things_are_counted_exactly(names: list[str]) -> None:
    some = names[:64]
    assert sketch.count(sketched(some)) == len(set(some))


@given(things, things)
def test_a_union_is_the_sketch_of_all(some: list[str], others: list[str]) -> None:
    assert sketch.union([sketched(some), sketched(others)]) == sketched([*some, *others])


def test_thousands_are_estimated_within_a_fifth_in_257_bytes() -> None:
    for count in (65, 100, 500, 2_000, 20_000):
        made = sketched([f"thing {n}" for n in range(count)])
        assert len(made) == 257
        assert abs(sketch.count(made) - count) < count / 5


def test_what_was_met_is_not_new_and_a_full_memory_calls_nothing_new() -> None:
    known = b""
    for n in range(60):
        one = sketch.item(str(n))
        assert not novelty.met(known, one)
        known = novelty.meeting(known, one)
        assert novelty.met(known, one)
    for n in range(60, 5_000):
        known = novelty.meeting(known, sketch.item(str(n)))
    assert len(known) == 257
    assert all(novelty.met(known, sketch.item(f"never {n}")) for n in range(100))


def test_with_two_hundred_things_few_new_ones_are_overlooked() -> None:
    known = b""
    for n in range(200):
        known = novelty.meeting(known, sketch.item(str(n)))
    overlooked = sum(novelty.met(known, sketch.item(f"never {n}")) for n in range(1_000))
    assert overlooked < 50


def test_no_hour_is_unusual_in_the_first_days() -> None:
    days = [0] * 24
    days[9] = 4
    assert not novelty.unusual_hour(days, 3)
    days[9] = 5
    assert novelty.unusual_hour(days, 3)
    assert not novelty.unusual_hour(days, 8)
    assert not novelty.unusual_hour(days, 10)
