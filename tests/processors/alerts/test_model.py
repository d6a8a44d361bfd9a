"""Whatever fails, in whatever order: each finding is told to each URL once; a crash repeats what was on its way."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.alerts.board import HOUR, Board, Parcel
from processors.alerts.rows import Row, Target
from processors.alerts.settings import AlertSettings
from schemas.alerts import AlertAttempt
from tests.processors.alerts.making import SECOND, T0, attempt, finding, route
from tests.processors.alerts.making import settings as alerts

SETTINGS = alerts(
    route("one", urls=("json://a/", "json://b/"), group_seconds=30, hour_max=3),
    route("two", group_seconds=0, hour_max=5),
    retry_seconds=1,
    retry_seconds_max=60,
    failing_seconds=1e9,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("find"), st.integers(0, 5)),
        st.tuples(st.just("again"), st.integers(0, 40)),
        st.tuples(st.just("deliver"), st.sampled_from(["ok", "fails", "crash"])),
        st.tuples(st.just("wait"), st.integers(1, 1_200)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("torn"), st.integers(0, 8)),
    ),
    max_size=60,
)


class World:
    """A board, its table, a clock, and what the services were told."""

    def __init__(self, of: AlertSettings) -> None:
        self._settings = of
        self.table: dict[str, Row] = {}
        self.board = Board(of)
        self.now = T0
        self.found: list[Any] = []
        self.told: dict[Target, Counter[str]] = {}
        self.counted: Counter[Target] = Counter()
        self.crashes: Counter[Target] = Counter()

    def step(self, what: str, value: Any) -> None:
        match what:
            case "find":
                one = finding(f"rule-{value}", at=self.now)
                self.found.append(one)
                self.board.take(one, self.now)
            case "again" if self.found:
                self.board.take(self.found[value % len(self.found)], self.now)
            case "deliver":
                for parcel in self.board.due(self.now):
                    self._deliver(parcel, value)
            case "wait":
                self.now += value * SECOND
                self.board.prune(self.now)
            case "restart":
                self.write()
                self.board = Board(self._settings, self.table)
            case (
                "torn"
            ):  # a finding is taken, a part of its rows is written, and it is taken again after a crash
                one = finding(f"rule-{value}", at=self.now)
                self.found.append(one)
                self.board.take(one, self.now)
                self.write(value % 4)
                self.board = Board(self._settings, self.table)
                self.board.take(one, self.now)
        self.write()

    def _deliver(self, parcel: Parcel, how: str) -> None:
        if how != "fails":
            told = self.told.setdefault(parcel.target, Counter())
            told.update(line["finding_id"] for row in parcel.letters for line in row["lines"])
            self.counted[parcel.target] += sum(row["more"] for row in parcel.letters)
        if how == "crash":  # the service has it, nobody wrote it down
            self.crashes[parcel.target] += 1
            self.board = Board(self._settings, self.table)
            return
        made: AlertAttempt = attempt(parcel, self.now, "" if how == "ok" else "refused")
        self.board.attempted(made)

    def write(self, rows_max: int | None = None) -> None:
        for key, row in list(self.board.changed().items())[:rows_max]:
            if row is None:
                self.table.pop(key, None)
            else:
                self.table[key] = row

    def drain(self) -> None:
        for _ in range(500):
            if not sum(self.board.waiting().values()):
                return
            self.step("deliver", "ok")
            self.step("wait", 600)
        raise AssertionError(f"still waiting: {self.board.waiting()}")


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_each_finding_is_told_once_to_each_url_whatever_fails(steps: list[tuple[str, Any]]) -> None:
    world = World(SETTINGS)
    for what, value in steps:
        world.step(what, "ok" if value == "crash" else value)
    world.drain()
    for target in world.board.waiting():
        told = world.told.get(target, Counter())
        assert set(told.values()) <= {1}
        assert len(told) + world.counted[target] == len(world.found)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_a_crash_repeats_at_most_what_was_on_its_way_and_loses_nothing(steps: list[tuple[str, Any]]) -> None:
    world = World(SETTINGS)
    for what, value in steps:
        world.step(what, value)
    world.drain()
    for target in world.board.waiting():
        told = world.told.get(target, Counter())
        assert set(told) == {one["finding_id"] for one in world.found}
        assert max(told.values(), default=1) <= 1 + world.crashes[target]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=200), st.integers(1, 5))
def test_no_url_is_told_more_often_than_it_may_within_an_hour(gaps: list[int], limit: int) -> None:
    board, now, sent = Board(alerts(route(hour_max=limit, group_seconds=0))), T0, list[int]()
    for number, gap in enumerate(gaps):
        now += gap * SECOND
        board.take(finding(f"rule-{number}", at=now), now)
        for parcel in board.due(now):
            board.attempted(attempt(parcel, now))
            sent.append(now)
    assert all(sum(1 for other in sent if 0 <= other - start < HOUR) <= limit for start in sent)
