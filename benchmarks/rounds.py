"""Targets driven in turn, again and again, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from benchmarks.load import Aim, Load, fire

Pids = Callable[[], dict[str, int]]


@dataclass(frozen=True)
class Target:
    """Something to call. `pids` names the processes whose CPU time is counted; asked anew for every round."""

    name: str
    url: str
    pids: Pids
    more: tuple[str, ...] = ()
    settle: Callable[[], None] = field(default=lambda: None)  # waits until it leaves the machine alone again


@dataclass(frozen=True)
class Sample:
    """One target in one round: what the generator saw, and CPU microseconds an exchange by process."""

    target: str
    connections: int
    round: int
    load: Load
    cpu_us: dict[str, float]


@dataclass(frozen=True)
class Figure:
    """The medians of one target's rounds at one number of connections."""

    target: str
    connections: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: dict[str, float]
    rounds: int


@dataclass(frozen=True)
class Plan:
    """How long and how often. `seconds` is one target's share of one round at one number of connections."""

    program: Path
    connections: tuple[int, ...] = (1, 8, 32)
    rounds: int = 3
    seconds: float = 4.0
    revision: str = "2025-11-25"


def drive(plan: Plan, targets: Sequence[Target], say: Callable[[Sample], None]) -> list[Sample]:
    """Every target at every number of connections in every round; raises LoadError when a call fails."""
    samples = []
    for connections, number, target in order(plan, targets):
        aim = Aim(target.url, connections, plan.seconds, revision=plan.revision, more=target.more)
        sample = _sample(plan.program, aim, target, number)
        say(sample)
        samples.append(sample)
        target.settle()
    return samples


def order(plan: Plan, targets: Sequence[Target]) -> Iterator[tuple[int, int, Target]]:
    """(connections, round, target): each round goes through all, and begins with another target than the last."""
    for number in range(plan.rounds):
        for connections in plan.connections:
            first = number % len(targets)
            for target in [*targets[first:], *targets[:first]]:
                yield connections, number, target


def _sample(program: Path, aim: Aim, target: Target, number: int) -> Sample:
    before = cpu_seconds(target.pids())
    load = fire(program, aim)
    spent = cpu_each(before, cpu_seconds(target.pids()), load.all_requests)
    return Sample(target.name, aim.connections, number, load, spent)


def cpu_seconds(pids: dict[str, int]) -> dict[str, float]:
    """User and system time so far of each process with its descendants; one that has ended is left out."""
    spent = {}
    for name, pid in pids.items():
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
            spent[name] = sum(sum(process.cpu_times()[:2]) for process in family)
        except psutil.NoSuchProcess:
            continue
    return spent


def cpu_each(before: dict[str, float], after: dict[str, float], exchanges: int) -> dict[str, float]:
    """Microseconds an exchange by process, between two readings of `cpu_seconds`."""
    return {name: (after[name] - before[name]) / exchanges * 1e6 for name in before if name in after}


def figures(samples: Sequence[Sample]) -> list[Figure]:
    """The medians by target and number of connections, in the order in which they first came."""
    together: dict[tuple[str, int], list[Sample]] = {}
    for sample in samples:
        together.setdefault((sample.target, sample.connections), []).append(sample)
    return [_figure(*key, group) for key, group in together.items()]


def _figure(target: str, connections: int, group: list[Sample]) -> Figure:
    names = [name for name in group[0].cpu_us if all(name in sample.cpu_us for sample in group)]
    return Figure(
        target,
        connections,
        median(sample.load.per_second for sample in group),
        median(sample.load.p50_ms for sample in group),
        median(sample.load.p99_ms for sample in group),
        {name: median(sample.cpu_us[name] for sample in group) for name in names},
        len(group),
    )
