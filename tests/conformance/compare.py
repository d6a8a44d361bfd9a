"""Two runs of the suite compared check by check. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

PASSED = "SUCCESS"
ABSENT = "ABSENT"  # our word for a check that a run never reached


@dataclass(frozen=True, order=True)
class CheckKey:
    """Names one check of a run. Ids repeat within a scenario, so its number among them belongs to the name."""

    scenario: str
    check: str
    nth: int

    def __str__(self) -> str:
        suffix = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.scenario} · {self.check}{suffix}"


@dataclass(frozen=True)
class Outcome:
    """What the suite says of one check: its status word and, when it failed, why."""

    status: str
    reason: str = ""


Run = dict[CheckKey, Outcome]


@dataclass(frozen=True)
class Row:
    """One check in both runs."""

    key: CheckKey
    direct: Outcome
    through: Outcome

    @property
    def lost(self) -> bool:
        """Passed directly and does not pass through."""
        return self.direct.status == PASSED and self.through.status != PASSED

    @property
    def differs(self) -> bool:
        """The two runs have different words for it, whichever is the better."""
        return self.direct.status != self.through.status


def collect(scenario: str, checks: Iterable[tuple[str, Outcome]]) -> Run:
    """Number the checks of one scenario, which come in the order in which the suite made them."""
    seen: Counter[str] = Counter()
    run: Run = {}
    for check, outcome in checks:
        seen[check] += 1
        run[CheckKey(scenario, check, seen[check])] = outcome
    return run


def rows(direct: Run, through: Run) -> list[Row]:
    """Every check of either run, in a stable order."""
    absent = Outcome(ABSENT)
    return [
        Row(key, direct.get(key, absent), through.get(key, absent))
        for key in sorted(direct.keys() | through.keys())
    ]


def tally(run: Run) -> tuple[int, int]:
    """(passed, failed); the suite's other words (skipped, info, warning) count as neither."""
    words = Counter(outcome.status for outcome in run.values())
    return words[PASSED], words["FAILURE"]
