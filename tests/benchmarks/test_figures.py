"""The figures of a benchmark say what was measured: medians, fair order, lag that is flat or is not."""

from pathlib import Path

import msgspec
import pytest

from benchmarks import reach
from benchmarks.broker import RoundTrip, typical
from benchmarks.lag import Reading, flat, slope
from benchmarks.load import Aim, Load, LoadError, read
from benchmarks.memory import Memory
from benchmarks.pipeline import Sustained
from benchmarks.rounds import Figure, Plan, Sample, Target, cpu_each, figures, order

RECORDS_PER_S = 4_800.0  # 1,200 exchanges a second, two frames each, in two topics


def load(per_second: float, p50_ms: float = 1.0, errors: int = 0) -> Load:
    first = "status 503" if errors else ""
    return Load(100, errors, first, 4.0, per_second, p50_ms, 2.0, 3.0, 4.0, "list_pods", 110, 9.0)


def figure(target: str, connections: int, per_second: float = 0.0, p50_ms: float = 0.0) -> Figure:
    return Figure(target, connections, per_second, p50_ms, 0.0, {}, 3)


def lag_of(records: list[int]) -> list[Reading]:
    return [Reading(2.0 * number, {}, {"audit": lag}) for number, lag in enumerate(records)]


def sustained(
    offered: float, done: float, *, keeps_up: bool = True, drained_s: float | None = 1.0, stored: int = 10
) -> Sustained:
    return Sustained(offered, load(done), [], 0.0, keeps_up, drained_s, {}, 10, stored)


def test_a_figure_is_the_median_of_its_rounds_and_not_swayed_by_one_bad_round() -> None:
    samples = [
        Sample("gateway", 8, number, load(rate), {"gateway": rate})
        for number, rate in enumerate((900, 10, 1000))
    ]
    [one] = figures(samples)
    assert (one.per_second, one.cpu_us, one.rounds) == (900, {"gateway": 900}, 3)


def test_rounds_begin_with_another_target_each_time_and_leave_none_out() -> None:
    targets = [Target(name, "", dict) for name in ("direct", "gateway", "peer")]
    went = [(number, target.name) for _, number, target in order(Plan(Path(), (1,), rounds=3), targets)]
    firsts = [name for position, (_, name) in enumerate(went) if position % 3 == 0]
    assert firsts == ["direct", "gateway", "peer"]
    assert len(set(went)) == 9


def test_cpu_time_is_shared_out_over_exchanges_and_a_process_that_ended_is_left_out() -> None:
    assert cpu_each({"gateway": 1.0, "gone": 1.0}, {"gateway": 2.0}, 1_000) == {"gateway": 1_000.0}


def test_a_lag_that_stands_after_its_way_up_is_flat() -> None:
    assert flat(lag_of([0, 400, 900, 1_000, 980, 1_010, 995, 1_005, 990]), RECORDS_PER_S)


def test_a_lag_that_grows_by_a_twentieth_of_what_is_offered_is_not_flat() -> None:
    readings = lag_of([number * 480 for number in range(30)])
    assert slope(readings) == pytest.approx(240)
    assert not flat(readings, RECORDS_PER_S)


def test_too_few_readings_prove_no_flat_lag() -> None:
    assert not flat(lag_of([0, 0]), RECORDS_PER_S)


def test_a_call_that_failed_makes_the_whole_figure_worthless() -> None:
    said = msgspec.json.encode(load(1_000, errors=1))
    with pytest.raises(LoadError, match="status 503"):
        read(Aim("http://127.0.0.1:1/mcp"), 0, said, b"")


def test_a_load_generator_that_ended_badly_is_an_error_with_its_words() -> None:
    with pytest.raises(LoadError, match="connection refused"):
        read(Aim("http://127.0.0.1:1/mcp"), 1, b"", b"connection refused")


def test_the_gateway_is_held_against_the_peers_at_the_most_connections() -> None:
    table = [figure(reach.GATEWAY, 1, 10.0), figure(reach.GO_PROXY, 1, 1.0)]
    table += [
        figure(reach.GATEWAY, 32, 3.0),
        figure(reach.GO_PROXY, 32, 2.0),
        figure(reach.RUST_PROXY, 32, 5.0),
    ]
    assert [one.reached for one in reach.against_peers(table)] == [False, True]


def test_a_peer_that_was_left_out_gives_no_verdict() -> None:
    assert reach.against_peers([figure(reach.GATEWAY, 32, 3.0)]) == []


@pytest.mark.parametrize(("through_ms", "reached"), [(1.5, True), (1.6, False)])
def test_added_latency_may_be_two_round_trips_of_the_broker_and_a_little(
    through_ms: float, reached: bool
) -> None:
    table = [figure(reach.DIRECT, 1, p50_ms=0.1), figure(reach.GATEWAY, 1, p50_ms=through_ms)]
    [verdict] = reach.added(table, typical([RoundTrip(500, 0.4, 1.0)] * 3))
    assert verdict.reached is reached


@pytest.mark.parametrize(
    ("one", "held"),
    [
        (sustained(1_200, 1_199), True),
        (sustained(1_200, 1_100), False),
        (sustained(1_200, 1_200, keeps_up=False), False),
        (sustained(1_200, 1_200, drained_s=None), False),
        (sustained(1_200, 1_200, stored=9), False),
        (sustained(1_200, 1_200, stored=11), False),
    ],
    ids=["all well", "less was done than offered", "the lag grew", "never drained", "one lost", "one twice"],
)
def test_a_rate_is_held_only_when_offered_in_full_flat_and_stored(one: Sustained, held: bool) -> None:
    assert one.held is held
    assert reach.sustained([one]).reached is held


def test_memory_is_judged_by_what_is_resident() -> None:
    assert not reach.memory("gateway", Memory(rss_mib=151, pss_mib=90), 150).reached
