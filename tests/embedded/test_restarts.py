"""The rule by which a part comes back, without any process."""

from __future__ import annotations

import random
from itertools import pairwise

from sluicegate.embedded.part import RESTART_ME, Backoff, Restarts

NO_JITTER = Backoff(jitter=0.0)


def restarts(backoff: Backoff = NO_JITTER) -> Restarts:
    return Restarts(backoff, random.Random(7))


def test_the_delay_doubles_while_a_part_keeps_failing_and_is_capped() -> None:
    failing = restarts()
    delays = [failing.delay_s(0.1, 1) for _ in range(9)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0]


def test_a_part_that_asks_for_its_restart_gets_it_quickly() -> None:
    assert restarts().delay_s(0.1, RESTART_ME) == 0.1


def test_a_part_that_asks_again_and_again_is_slowed_down_too() -> None:
    asking = restarts()
    delays = [asking.delay_s(0.1, RESTART_ME) for _ in range(12)]
    assert all(later >= sooner for sooner, later in pairwise(delays))
    assert delays[-1] == NO_JITTER.cap_s


def test_a_calm_minute_makes_the_next_failure_the_first() -> None:
    failing = restarts()
    for _ in range(5):
        failing.delay_s(0.1, 1)
    assert failing.delay_s(60.0, 1) == 0.5


def test_jitter_only_shortens_and_by_a_quarter_at_most() -> None:
    backoff = Backoff()
    delays = {backoff.delay_s(3, asked=False, chance=chance / 100) for chance in range(100)}
    assert max(delays) == 4.0
    assert min(delays) > 3.0
    assert len(delays) == 100


def test_thousands_of_failures_do_not_overflow() -> None:
    assert NO_JITTER.delay_s(100_000, asked=False, chance=0.0) == 5.0
