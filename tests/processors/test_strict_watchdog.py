"""When a worker is judged to stand still."""

from collections import namedtuple

from processors.strict.watchdog import Watchdog

Place = namedtuple("Place", "topic partition")
TP = Place("frames", 3)


def watchdog() -> Watchdog:
    """60 s for a partition, 300 s for a rebalance."""
    return Watchdog(60, 300)


def test_a_partition_with_records_that_does_not_move_is_a_fault() -> None:
    dog = watchdog()
    assert dog.look(0, True, {TP: (5, 10)}) is None
    assert dog.look(60, True, {TP: (5, 10)}) is None
    assert dog.look(61, True, {TP: (5, 10)}) == "frames-3 stands at 5 of 10 for 61 s"


def test_a_partition_that_moves_is_none() -> None:
    dog = watchdog()
    for now in range(0, 1_000, 50):
        assert dog.look(now, True, {TP: (now, 5_000)}) is None


def test_a_partition_at_its_end_is_none() -> None:
    dog = watchdog()
    dog.look(0, True, {TP: (10, 10)})
    assert dog.look(1_000, True, {TP: (10, 10)}) is None
    assert dog.look(1_001, True, {TP: (10, 11)}) is None


def test_a_partition_that_comes_back_starts_anew() -> None:
    dog = watchdog()
    dog.look(0, True, {TP: (5, 10)})
    dog.look(30, True, {})
    assert dog.look(70, True, {TP: (5, 10)}) is None


def test_a_rebalance_that_does_not_end_is_a_fault() -> None:
    dog = watchdog()
    assert dog.look(0, False, {}) is None
    assert dog.look(301, False, {}) == "not ready 301 s after a rebalance began"


def test_a_rebalance_that_ends_is_none() -> None:
    dog = watchdog()
    dog.look(0, False, {})
    dog.look(200, True, {})
    assert dog.look(400, False, {}) is None
