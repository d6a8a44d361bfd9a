"""The anomaly benchmark: its months can be repeated, its labels hold, its figures are of the shipped rules."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from benchmarks.anomaly.__main__ import PAGE
from benchmarks.anomaly.drawing import detect_curves, recall_bars
from benchmarks.anomaly.episodes import PATTERNS, Episode
from benchmarks.anomaly.figures import FILE, SetFigures, digest, figures_of, load
from benchmarks.anomaly.fitting import FITTING
from benchmarks.anomaly.measure import measure
from benchmarks.anomaly.month import VERSION, Month
from benchmarks.anomaly.report import markdown
from benchmarks.anomaly.scoring import score
from benchmarks.anomaly.settings import VARIANTS, Settings, read
from processors.anomaly.finding import Finding
from processors.anomaly.load import load_rules
from processors.anomaly.observation import Observation

HOUR_US = 3_600_000_000


def small(days: int = 2) -> Settings:
    """A company of three teams, with misuse from the first day on and few services."""
    settings = read("tuned")
    teams = {name: settings.teams[name] for name in ("payments", "data", "trust")}
    services = {"secrets-sync": settings.services["secrets-sync"]}
    misuse = {
        name: msgspec.structs.replace(one, episodes={"plain": 1, "spread": 1, "disguised": 1})
        for name, one in settings.misuse.items()
    }
    events = msgspec.structs.replace(settings.events, joiners=0, movers=0)
    return msgspec.structs.replace(
        settings, days=days, teams=teams, services=services, misuse=misuse, misuse_from_day=0, events=events
    )


def observations(month: Month) -> list[Observation]:
    return [seen for batch in month.batches() for seen in batch]


def finding(rule: str, principal: str, at: int, act: str = "raised") -> Finding:
    return Finding(rule, "high", "", "name", (("principal", principal),), at, at, act=act)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made() -> tuple[Month, list[Observation]]:
    month = Month(small(), 2)
    return month, observations(month)


def test_the_same_settings_make_the_same_month(made: tuple[Month, list[Observation]]) -> None:
    again = Month(small(), 2)
    assert observations(again) == made[1]
    assert again.episodes == made[0].episodes


def test_another_seed_makes_another_month(made: tuple[Month, list[Observation]]) -> None:
    other = msgspec.structs.replace(small(), seed=1)
    assert observations(Month(other, 2)) != made[1]


def test_calls_come_nearly_in_the_order_of_time_and_some_come_late(
    made: tuple[Month, list[Observation]],
) -> None:
    seen = [one.at for one in made[1]]
    behind = [max_before - at for max_before, at in zip(_highest(seen), seen, strict=True)]
    late = sum(by > 10_000_000 for by in behind)
    assert 0 < late < 0.02 * len(seen)


def _highest(values: list[int]) -> list[int]:
    highest, most = [], 0
    for value in values:
        most = max(most, value)
        highest.append(most)
    return highest


def test_every_act_of_an_episode_is_among_the_calls_of_its_principals(
    made: tuple[Month, list[Observation]],
) -> None:
    month, seen = made
    for episode in month.episodes:
        there = [
            one
            for one in seen
            if one.principal in episode.principals and episode.begins <= one.at <= episode.ends
        ]
        assert len(there) >= episode.acts or episode.ends > seen[-1].at
        assert {one.principal for one in there} >= set(episode.principals)


def test_no_principal_is_in_two_episodes_at_once(made: tuple[Month, list[Observation]]) -> None:
    by_principal: dict[str, list[Episode]] = {}
    for episode in made[0].episodes:
        for name in episode.principals:
            by_principal.setdefault(name, []).append(episode)
    for episodes in by_principal.values():
        ordered = sorted(episodes, key=lambda one: one.begins)
        assert all(one.ends < after.begins for one, after in pairwise(ordered))


def test_secrets_are_read_and_tokens_made_by_those_whose_work_it_is(
    made: tuple[Month, list[Observation]],
) -> None:
    episodes = {name for one in made[0].episodes for name in one.principals}
    sorts: Counter[str] = Counter()
    for one in made[1]:
        if one.principal not in episodes and (one.sensitive or one.minted):
            sorts[one.principal.split("|")[1].split("-")[0]] += 1
    assert {"ci", "svc", "dev"} <= sorts.keys()


@pytest.mark.parametrize("name", ["tuned", "unseen"])
def test_both_settings_files_have_two_hundred_principals_and_every_pattern_in_every_variant(
    name: str,
) -> None:
    settings = read(name)
    month = Month(settings, settings.days)
    assert len(month.world.principals) == 200
    assert {(one.pattern, one.variant) for one in month.episodes} == {
        (pattern, variant) for pattern in PATTERNS for variant in VARIANTS
    }


def test_the_two_sets_share_neither_actions_nor_roles_nor_teams_nor_seed() -> None:
    tuned, unseen = read("tuned"), read("unseen")
    assert tuned.seed != unseen.seed
    assert not tuned.actions.keys() & unseen.actions.keys()
    assert not tuned.roles.keys() & unseen.roles.keys()
    assert not tuned.teams.keys() & unseen.teams.keys()
    assert not {one.zone for one in tuned.teams.values()} & {one.zone for one in unseen.teams.values()}


def test_an_unknown_name_in_a_settings_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text((FILE.parent / "tuned.yaml").read_text() + "\nspeed: 3\n")
    with pytest.raises(msgspec.ValidationError, match="speed"):
        read(file)


EPISODE = Episode("token-surge", "plain", 0, 10 * HOUR_US, 11 * HOUR_US, ("i|ann",), frozenset(), 20)
MEANT = {"token-surge": ("tokens",)}


def test_an_episode_is_found_by_a_fitting_rule_that_names_its_principal_in_time() -> None:
    scored = score([EPISODE], [finding("tokens", "i|ann", 11 * HOUR_US)], MEANT, 60)
    assert scored.found == {EPISODE: 3600.0}
    assert (scored.precision, scored.recall()) == (1.0, 1.0)


@pytest.mark.parametrize(
    "one",
    [
        finding("tokens", "i|bob", 11 * HOUR_US),
        finding("tokens", "i|ann", 9 * HOUR_US),
        finding("tokens", "i|ann", 13 * HOUR_US),
    ],
    ids=["of somebody else", "before it began", "after the grace"],
)
def test_any_other_finding_is_false(one: Finding) -> None:
    scored = score([EPISODE], [one], MEANT, 60)
    assert (scored.found, scored.false.total(), scored.precision) == ({}, 1, 0.0)


def test_a_finding_by_another_rule_about_somebody_in_an_episode_is_neither_found_nor_false() -> None:
    scored = score([EPISODE], [finding("secrets", "i|ann", 11 * HOUR_US)], MEANT, 60)
    assert (scored.found, scored.false.total(), scored.beside.total()) == ({}, 0, 1)


def test_a_repeated_finding_finds_nothing() -> None:
    assert not score([EPISODE], [finding("tokens", "i|ann", 11 * HOUR_US, "repeated")], MEANT, 60).found


def test_every_rule_that_is_said_to_fit_a_pattern_is_in_the_shipped_pack() -> None:
    names = {rule.name for rule in load_rules().rules}
    assert {rule for rules in FITTING.values() for rule in rules} <= names
    assert set(FITTING) == set(PATTERNS)


def test_two_days_go_through_the_engine_and_are_scored() -> None:
    measured = measure(small(), load_rules(), 2)
    figures = figures_of(measured)
    assert figures.observations == measured.observations > 5_000
    assert figures.recall("plain") > 0.3, "even without a week to learn from, bursts are found"
    assert "</svg>" in recall_bars(figures)
    assert "</svg>" in detect_curves(figures)


def test_the_figures_in_the_docs_are_those_of_the_shipped_rules_and_of_this_generator() -> None:
    figures = load()
    assert figures.sets.keys() == {"tuned", "unseen"}
    assert figures.generator == VERSION, "measure again: python -m benchmarks.anomaly --write"
    assert figures.rules == digest(load_rules()), "measure again: python -m benchmarks.anomaly --write"
    assert markdown(figures) in PAGE.read_text()
    for name, one in figures.sets.items():
        assert (PAGE.parent / f"anomaly-recall-{name}.svg").read_text() == recall_bars(one)
        assert (PAGE.parent / f"anomaly-detect-{name}.svg").read_text() == detect_curves(one)


def test_a_set_that_misses_a_goal_does_not_reach_them() -> None:
    one = SetFigures("x", 1, 1, 1, {"p": {"plain": (19, 20), "slow": (7, 10)}}, {}, {}, 1.0, 2.0)
    assert one.reached()
    assert not msgspec.structs.replace(one, false_a_day=2.1).reached()
    assert not msgspec.structs.replace(one, found={"p": {"plain": (18, 20), "slow": (7, 10)}}).reached()
