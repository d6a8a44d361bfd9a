"""The engine: order within the lateness does not matter, a replay gives the same bytes, what is kept is bounded."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.anomaly.detector import Detector
from processors.anomaly.finding import Finding
from processors.anomaly.load import load_rules, read_rules
from processors.anomaly.observation import Observation
from processors.anomaly.row import row_bytes, row_of
from processors.anomaly.rules import RuleSet
from processors.anomaly.state import State
from tests.processors.anomaly.making import DAY_US, HOUR_US, MINUTE_US, SECOND_US, START_US, seen

PACK = load_rules()
RULES = read_rules(
    """
lateness: 2m
rules:
  - {name: reads, severity: high, title: t, explanation: e, key: principal, feature: sensitive_reads, window: 10m,
     at_least: 5}
  - {name: spaces, severity: high, title: t, explanation: e, key: principal, feature: distinct_namespaces,
     window: 10m, buckets: 5, at_least: 4}
  - {name: learned, severity: high, title: t, explanation: e, key: principal, feature: calls, window: 10m,
     at_least: 6, own: {score: 3, periods: 2}, unlearned: 12}
  - name: around
    severity: high
    title: t
    explanation: e
    key: principal
    window: 10m
    sequence:
      same: [object]
      steps:
        - {where: {outcome: denied}}
        - {where: {outcome: ok}, other: [tool]}
""",
    "rules.yaml",
)


def run(rules: RuleSet, calls: Iterable[Observation], state: State | None = None) -> list[Finding]:
    """All findings of these calls."""
    detector = Detector(rules, State() if state is None else state)
    return [finding for each in calls for finding in detector.observe(each)]


@st.composite
def traffic(draw: st.DrawFn) -> list[Observation]:
    """Calls of two principals over hours."""
    steps = draw(st.lists(st.integers(0, 90), min_size=1, max_size=120))
    calls, at = [], 0
    for number, step in enumerate(steps):
        at += step
        calls.append(
            Observation(
                at=START_US + at * SECOND_US + number,
                principal=draw(st.sampled_from(["|ann", "|bob"])),
                tool=draw(st.sampled_from(["get", "exec"])),
                connection="prod",
                object=draw(st.sampled_from(["a/Secret/x", "a/Secret/y"])),
                namespace=f"n{draw(st.integers(0, 6))}",
                sensitive=draw(st.booleans()),
                outcome=draw(st.sampled_from(["ok", "ok", "denied"])),
                frame_id=f"frame-{number}",
            )
        )
    return calls


def late_by(calls: list[Observation], random: Random, lateness_us: int) -> list[Observation]:
    """The calls as they may come: none more than the lateness behind one that came before."""
    return sorted(calls, key=lambda each: each.at + random.randrange(lateness_us))


@given(traffic(), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_order_within_the_lateness_does_not_matter(calls: list[Observation], seed: int) -> None:
    shuffled = late_by(calls, Random(seed), RULES.lateness_us)
    found = {(each.rule, each.key) for each in run(RULES, calls)}
    assert {(each.rule, each.key) for each in run(RULES, shuffled)} == found


@given(traffic())
@settings(max_examples=50, deadline=None)
def test_a_replay_gives_the_same_findings_and_the_same_bytes(calls: list[Observation]) -> None:
    once, twice = State(), State()
    assert run(PACK, calls, once) == run(PACK, calls, twice)
    assert once.written() == twice.written()


@given(traffic(), st.integers(0, 119))
@settings(max_examples=50, deadline=None)
def test_rows_that_were_stored_go_on_as_if_they_had_not_been(calls: list[Observation], cut: int) -> None:
    through = run(PACK, calls)
    first = State()
    before = run(PACK, calls[:cut], first)
    kept = first.written()
    assert before + run(PACK, calls[cut:], State(kept.get)) == through


@given(traffic(), st.integers(0, 119))
@settings(max_examples=50, deadline=None)
def test_what_was_applied_is_not_applied_again(calls: list[Observation], back: int) -> None:
    state = State()
    detector = Detector(RULES, state)
    places = list(enumerate(calls))
    for place, each in places:
        detector.observe(each, source=(0, place))
    after = {name: row_of(data) for name, data in state.written().items()}
    again = [
        finding for place, each in places[back:] for finding in detector.observe(each, source=(0, place))
    ]
    assert again == []
    assert {name: row_of(data) for name, data in state.written().items()}.items() <= after.items()


@given(traffic())
@settings(max_examples=40, deadline=None)
def test_home_by_home_finds_what_all_at_once_does(calls: list[Observation]) -> None:
    whole = run(PACK, calls)
    state = State()
    detector = Detector(PACK, state)
    parts = [
        found for each in calls for home in detector.homes(each) for found in detector.observe(each, home)
    ]
    assert sorted(parts, key=lambda each: each.name) == sorted(whole, key=lambda each: each.name)


def test_a_call_older_than_the_lateness_is_in_no_window_and_counted() -> None:
    state = State()
    new = [seen(1_000 + n, sensitive=True) for n in range(4)]
    old = seen(1_000 - 180, sensitive=True)
    assert run(RULES, [*new, old], state) == []
    assert state.late == 1
    assert [each.rule for each in run(RULES, [seen(1_004, sensitive=True)], state)] == ["reads"]


def test_a_finding_is_raised_once_while_it_lasts_and_repeated_when_it_doubles() -> None:
    found = [
        each for each in run(RULES, [seen(n, sensitive=True) for n in range(25)]) if each.rule == "reads"
    ]
    assert [(each.act, each.value) for each in found] == [("raised", 5), ("repeated", 10), ("repeated", 20)]
    assert len({each.name for each in found}) == 1
    assert [each.count for each in found] == sorted(each.count for each in found)
    assert len({each.record()["finding_id"] for each in found}) == 1
    assert len(found[-1].evidence) == 10


def test_after_its_cooldown_it_is_another_finding() -> None:
    morning = [seen(n, sensitive=True) for n in range(5)]
    evening = [seen(20_000 + n, sensitive=True) for n in range(5)]
    found = [each for each in run(RULES, [*morning, *evening]) if each.rule == "reads"]
    assert [each.act for each in found] == ["raised", "raised"]
    assert len({each.name for each in found}) == 2


def test_who_always_does_much_is_no_finding_and_who_starts_to_is() -> None:
    rules = read_rules(
        "rules: [{name: busy, severity: low, title: t, explanation: '{baseline}', key: principal, feature: calls,"
        " window: 1h, at_least: 10, own: {score: 5}}]",
        "r",
    )
    steady = [seen(0, at=START_US + n * MINUTE_US, principal="|bot") for n in range(60 * 24)]
    calm = [seen(0, at=START_US + n * HOUR_US, principal="|ann") for n in range(24)]
    burst = [seen(0, at=START_US + DAY_US + n * SECOND_US, principal="|ann") for n in range(60)]
    found = run(rules, sorted([*steady, *calm, *burst], key=lambda each: each.at))
    assert {each.key for each in found} == {(("principal", "|ann"),)}
    assert found[0].attributes["baseline"].startswith("own 1 ± 1 of ")


def test_a_newcomer_is_compared_with_its_peers() -> None:
    rules = read_rules(
        "rules: [{name: busy, severity: low, title: t, explanation: e, key: principal, feature: calls, window: 1h,"
        " at_least: 10, own: {score: 5}, peers: {score: 5, periods: 5}}]",
        "r",
    )
    team = [
        seen(0, at=START_US + hour * HOUR_US + n * MINUTE_US, principal=f"|p{who}", groups=("ops",))
        for hour in range(7)
        for who in range(8)
        for n in range(20)
    ]
    like_them = [seen(0, at=START_US + 8 * HOUR_US + n, principal="|new", groups=("ops",)) for n in range(25)]
    unlike_them = [
        seen(0, at=START_US + 8 * HOUR_US + n, principal="|odd", groups=("ops",)) for n in range(90)
    ]
    elsewhere = [seen(0, at=START_US + 8 * HOUR_US + n, principal="|far", groups=("hr",)) for n in range(90)]
    calls = sorted([*team, *like_them, *unlike_them, *elsewhere], key=lambda each: each.at)
    assert {each.key[0][1] for each in run(rules, calls)} == {"|odd"}


def test_peers_say_nothing_before_they_have_learned_five_windows() -> None:
    rules = read_rules(
        "rules: [{name: busy, severity: low, title: t, explanation: e, key: principal, feature: calls, window: 1h,"
        " at_least: 10, peers: {score: 5, periods: 5}}]",
        "r",
    )
    team = [
        seen(0, at=START_US + hour * HOUR_US, principal=f"|p{who}", groups=("ops",))
        for hour in range(5)
        for who in range(8)
    ]
    flood = [seen(0, at=START_US + 5 * HOUR_US + n, principal="|new", groups=("ops",)) for n in range(90)]
    assert run(rules, [*team, *flood]) == []


TWICE = read_rules(
    """
rules:
  - name: around-twice
    severity: high
    title: t
    explanation: e
    key: principal
    window: 1h
    sequence:
      same: [object]
      times: 2
      steps:
        - {where: {outcome: denied}}
        - {where: {outcome: ok}, other: [tool]}
""",
    "rules.yaml",
)


def around(at: int, name: str) -> list[Observation]:
    """Refused, twenty other calls, then the same object by another tool; `at` in seconds."""
    shared = {"connection": "prod", "object": name}
    others = [seen(at + n + 1, tool="list", object=f"other-{n}", connection="prod") for n in range(20)]
    return [
        seen(at, tool="get", outcome="denied", **shared),
        *others,
        seen(at + 30, tool="exec", **shared),
    ]


def test_a_sequence_that_has_to_happen_twice_is_found_with_the_second_object_within_the_window() -> None:
    found = run(TWICE, [*around(0, "a"), *around(1800, "b")])
    assert [(each.rule, each.value) for each in found] == [("around-twice", 4)]


@pytest.mark.parametrize(
    "calls",
    [around(0, "a"), [*around(0, "a"), *around(1800, "a")], [*around(0, "a"), *around(7200, "b")]],
    ids=["once", "one object twice", "the second after the window"],
)
def test_a_sequence_that_has_to_happen_twice_is_not_found(calls: list[Observation]) -> None:
    assert run(TWICE, calls) == []


@pytest.mark.parametrize("by", ["median", "ewma"])
def test_who_is_caught_does_not_teach_to_look_away(by: str) -> None:
    rules = read_rules(
        "rules: [{name: busy, severity: low, title: t, explanation: e, key: principal, feature: calls, window: 1h,"
        " at_least: 10, own: {score: 5, periods: 3, by: " + by + "}}]",
        "r",
    )
    calm = [seen(0, at=START_US + n * HOUR_US + m) for n in range(10) for m in range(3)]
    flood = [seen(0, at=START_US + (10 + n) * HOUR_US + m * SECOND_US) for n in range(4) for m in range(500)]
    again = [seen(0, at=START_US + DAY_US + m * SECOND_US) for m in range(60)]
    found = run(rules, [*calm, *flood, *again])
    assert any(each.raised_at >= START_US + DAY_US for each in found)


@pytest.mark.parametrize("spread", ["one principal", "many principals"])
def test_what_is_kept_of_a_key_is_bounded_whatever_it_does(spread: str) -> None:
    """A month of everything new all the time: no row above 16 KB, and of those that have done with, none."""
    random = Random(7)
    state = State()
    detector = Detector(PACK, state)
    largest = 0
    for n in range(6_000):
        who = "|ann" if spread == "one principal" else f"|p{n % 40}"
        detector.observe(
            seen(
                0,
                at=START_US + n * 400 * SECOND_US,
                principal=who,
                groups=("ops", "dev"),
                client=f"client-{random.randrange(300)}",
                address=f"10.{random.randrange(256)}.0.1",
                connection="prod",
                session_id=f"session-{n}",
                tool=f"tool-{n}",
                object=f"team-{n}/Secret/s{n}",
                namespace=f"team-{n}",
                sensitive=True,
                outcome=random.choice(["ok", "denied", "failed"]),
                redactions=3,
                response_bytes=10_000,
                pseudonyms=(f"[masked:key:{n % 50}]",),
                minted=n % 3 == 0,
                prompt=n % 5 == 0,
                frame_id=f"0190a8c0-0000-7000-8000-{n:012x}",
            )
        )
        if n % 200 == 0:
            largest = max([largest, *map(len, state.written().values())])
            detector.advance(START_US + n * 400 * SECOND_US)
    assert largest < 16_384
    detector.advance(START_US + 400 * DAY_US)
    assert len(state) == 0


def test_a_row_is_the_same_after_being_stored() -> None:
    state = State()
    run(PACK, [seen(n, sensitive=True, object=f"a/Secret/{n}", connection="prod") for n in range(100)], state)
    for data in state.written().values():
        assert row_bytes(row_of(data)) == data


def test_bytes_that_are_no_row_are_told() -> None:
    with pytest.raises(ValueError, match="not a row"):
        row_of(b"nonsense")
