"""Figures of one or several sets, as they are kept in `figures.json`: what the docs say and tests hold them to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import msgspec

from benchmarks.anomaly.episodes import PATTERNS
from benchmarks.anomaly.measure import Measured, per_day
from benchmarks.anomaly.month import VERSION
from benchmarks.anomaly.settings import HERE, VARIANTS
from processors.anomaly.rules import RuleSet

FILE = HERE / "figures.json"
HIDDEN = ("slow", "spread", "disguised")
GOAL_PLAIN, GOAL_HIDDEN, GOAL_FALSE_A_DAY = 0.95, 0.7, 2.0
_TEXTS = ("title", "explanation", "examples", "technique", "severity", "response")


class SetFigures(msgspec.Struct, frozen=True):
    """One set. `found` by pattern and variant: (found, of). `delays_s` by variant, of the found, shortest first.
    `rules` by rule: (of fitting patterns, of other misuse, false)."""

    name: str
    days: int
    principals: int
    observations: int
    found: dict[str, dict[str, tuple[int, int]]]
    delays_s: dict[str, list[float]]
    rules: dict[str, tuple[int, int, int]]
    precision: float
    false_a_day: float

    def recall(self, *variants: str) -> float:
        """Over all patterns, in these variants."""
        pairs = [row[variant] for row in self.found.values() for variant in variants if variant in row]
        return sum(found for found, _ in pairs) / (sum(of for _, of in pairs) or 1)

    def reached(self) -> bool:
        """Whether all three goals are."""
        plain, hidden = self.recall("plain"), self.recall(*HIDDEN)
        return plain >= GOAL_PLAIN and hidden >= GOAL_HIDDEN and self.false_a_day <= GOAL_FALSE_A_DAY


class Figures(msgspec.Struct, frozen=True):
    """All sets, with the version of the generator and the digest of the rules that they were measured with."""

    generator: int
    rules: str
    sets: dict[str, SetFigures]


def figures_of(measured: Measured) -> SetFigures:
    """The figures of a measured month."""
    score = measured.score
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for pattern in PATTERNS:
        for variant in VARIANTS:
            these = score.of(pattern, (variant,))
            if these:
                found.setdefault(pattern, {})[variant] = (
                    sum(one in score.found for one in these),
                    len(these),
                )
    rules = sorted({*score.fitting, *score.beside, *score.false})
    return SetFigures(
        name=measured.settings.name,
        days=measured.days,
        principals=measured.principals,
        observations=measured.observations,
        found=found,
        delays_s={variant: [round(one, 1) for one in score.delays(variant)] for variant in VARIANTS},
        rules={rule: (score.fitting[rule], score.beside[rule], score.false[rule]) for rule in rules},
        precision=round(score.precision, 3),
        false_a_day=round(per_day(measured), 2),
    )


def digest(rules: RuleSet) -> str:
    """Of what rules find, not of their words: a figure belongs to it."""
    kept = [
        {name: value for name, value in asdict(rule).items() if name not in _TEXTS}
        for rule in sorted(rules.rules, key=lambda one: one.name)
    ]
    return sha256(msgspec.json.encode([rules.lateness_us, kept], order="sorted")).hexdigest()[:12]


def save(sets: Mapping[str, SetFigures], rules: RuleSet, file: Path = FILE) -> Figures:
    """Keep the figures of these sets; those of other sets stay, when they are of the same rules and generator."""
    kept = load(file) if file.exists() else None
    same = kept is not None and kept.generator == VERSION and kept.rules == digest(rules)
    all_sets = {**(kept.sets if kept is not None and same else {}), **sets}
    figures = Figures(VERSION, digest(rules), dict(sorted(all_sets.items())))
    file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")
    return figures


def load(file: Path = FILE) -> Figures:
    """The figures kept."""
    return msgspec.json.decode(file.read_bytes(), type=Figures)
