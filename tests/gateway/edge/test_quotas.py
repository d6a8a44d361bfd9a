"""Quotas by principal and connection, on a clock of the test's own."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.quotas import Lease, Quotas, Refused
from gateway.sessions import Principal
from gateway.settings import Connection, Quota, Rate


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def quotas(clock: Callable[[], float], quota: Quota, places_max: int = 100) -> Quotas:
    """Quotas of the connections `demo` and `free`."""
    connections = [Connection("demo", quota=quota), Connection("free")]
    return Quotas(connections, clock, places_max)


def person(name: str, credential: str = "c") -> Principal:
    return Principal("https://issuer", name, credential)


def entered(given_quotas: Quotas, name: str = "ann", times: int = 1) -> list[Lease | Refused]:
    return [given_quotas.enter("demo", person(name)) for _ in range(times)]


def let_in(answers: list[Lease | Refused]) -> int:
    return sum(isinstance(answer, Lease) for answer in answers)


def test_a_burst_passes_then_the_rate_holds(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(2.0, 5)))
    assert let_in(entered(limited, times=10)) == 5
    clock.now += 0.4999
    assert let_in(entered(limited)) == 0
    clock.now += 0.0002
    assert let_in(entered(limited, times=3)) == 1
    clock.now += 3600
    assert let_in(entered(limited, times=10)) == 5


def test_a_refusal_says_when_to_ask_again_in_whole_seconds(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(0.1, 1)))
    assert let_in(entered(limited)) == 1
    (refused,) = entered(limited)
    assert refused == Refused(10, "0.1 a second by this principal")
    clock.now += 9.5
    assert entered(limited) == [Refused(1, "0.1 a second by this principal")]
    clock.now += 0.5
    assert let_in(entered(limited)) == 1


def test_abuse_26_one_principals_flood_leaves_the_others_theirs(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(1.0, 3), concurrent=3, total_concurrent=100))
    assert let_in(entered(limited, "ann", 1_000)) == 3
    assert let_in(entered(limited, "bob", 3)) == 3


def test_abuse_49_another_token_of_the_same_principal_is_the_same_bucket(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(1.0, 3)))
    answers = [limited.enter("demo", person("ann", f"credential {n}")) for n in range(10)]
    assert let_in(answers) == 3


def test_the_same_subject_of_another_issuer_is_somebody_else(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(1.0, 1)))
    assert let_in(entered(limited)) == 1
    assert isinstance(limited.enter("demo", Principal("https://other", "ann", "c")), Lease)


def test_places_are_given_back_once_however_often_it_is_said(clock: Clock) -> None:
    limited = quotas(clock, Quota(concurrent=2))
    first, second, third = entered(limited, times=3)
    assert isinstance(first, Lease)
    assert isinstance(second, Lease)
    assert third == Refused(1, "2 at once by this principal")
    first.leave()
    first.leave()
    assert let_in(entered(limited, times=3)) == 1


def test_all_together_are_bounded_too_and_their_refusal_costs_the_principal_nothing(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(0.001, 1), total_rate=Rate(1.0, 2)))
    assert let_in([limited.enter("demo", person(f"p{n}")) for n in range(5)]) == 2
    clock.now += 1.0
    assert isinstance(
        limited.enter("demo", person("p4")), Lease
    )  # its only token was not taken by the refusal
    total = quotas(clock, Quota(total_concurrent=2))
    assert let_in([total.enter("demo", person(f"p{n}")) for n in range(5)]) == 2


def test_a_connection_without_a_quota_is_free(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(1.0, 1)))
    assert all(isinstance(limited.enter("free", person("ann")), Lease) for _ in range(100))


def test_nobody_resets_a_bucket_by_flooding_it_out(clock: Clock) -> None:
    limited = quotas(clock, Quota(rate=Rate(1.0, 3)), places_max=10)
    assert let_in(entered(limited, "ann", 5)) == 3
    answers = [limited.enter("demo", person(f"made up {n}")) for n in range(1_000)]
    assert let_in(answers) == 9 + 3  # nine places, and the one that the rest share
    assert let_in(entered(limited, "ann")) == 0
    clock.now += 3.0
    assert let_in(entered(limited, "ann", 5)) == 3


def test_a_principal_with_something_running_is_not_forgotten(clock: Clock) -> None:
    limited = quotas(clock, Quota(concurrent=1), places_max=4)
    (held,) = entered(limited)
    for number in range(100):
        lease = limited.enter("demo", person(f"p{number}"))
        assert isinstance(lease, Lease)
        lease.leave()
    assert let_in(entered(limited)) == 0
    assert isinstance(held, Lease)
    held.leave()
    assert let_in(entered(limited)) == 1


def test_a_rules_rate_says_how_long_to_wait(clock: Clock) -> None:
    limited = quotas(clock, Quota())
    rate = Rate(2.0, 2)
    assert [limited.take("rule", rate) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert limited.take("another", rate) == 0.0
    clock.now += 0.5
    assert limited.take("rule", rate) == 0.0


@given(
    rate=st.builds(Rate, st.floats(0.1, 1_000.0), st.integers(1, 50)),
    gaps=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=200),
)
def test_in_no_span_more_passes_than_the_burst_and_what_the_rate_adds(rate: Rate, gaps: list[float]) -> None:
    clock = Clock()
    limited = quotas(clock, Quota(rate=rate))
    passed: list[float] = []
    for gap in gaps:
        clock.now += gap
        passed += [clock.now for _ in range(let_in(entered(limited, times=3)))]
    for first, last in itertools.combinations(range(len(passed)), 2):
        span = passed[last] - passed[first]
        assert last - first + 1 <= rate.burst + span * rate.per_second + 1e-6 * rate.per_second + 1e-6
