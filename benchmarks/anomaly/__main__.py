"""What the shipped rules find in a month of labelled work: `python -m benchmarks.anomaly`."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from benchmarks.anomaly.figures import HIDDEN, figures_of, save
from benchmarks.anomaly.measure import Measured, measure
from benchmarks.anomaly.report import span, write
from benchmarks.anomaly.settings import read
from processors.anomaly.load import load_rules

SETS = ("tuned", "unseen")
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "anomaly-figures.md"


def main(arguments: list[str] | None = None) -> int:
    """Measure what the command line asks for. Exit code 1: a goal was missed."""
    chosen = _parser().parse_args(arguments)
    gc.disable()  # nothing here makes cycles, and millions of objects live on: looking for them takes a fifth
    rules = load_rules(chosen.rules)
    sets = {}
    for name in chosen.only or SETS:
        measured = measure(read(name), rules, chosen.days)
        sets[measured.settings.name] = figures_of(measured)
        _say(measured, details=chosen.details)
    if chosen.write:
        write(save(sets, rules), PAGE)
        print(f"written: {PAGE}")
    return 0 if all(one.reached() for one in sets.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anomaly", description=__doc__)
    parser.add_argument(
        "--only", action="append", help="a set by name or its YAML file (default: tuned, unseen)"
    )
    parser.add_argument("--days", type=int, help="fewer days than the set has; misuse begins on the sixth")
    parser.add_argument("--rules", type=Path, help="a file of rules instead of the shipped pack")
    parser.add_argument("--details", action="store_true", help="name what was missed, and what was false")
    parser.add_argument("--write", action="store_true", help="keep the figures, and write them into the docs")
    return parser


def _say(measured: Measured, *, details: bool) -> None:
    one, score = figures_of(measured), measured.score
    rate = measured.observations / (measured.engine_s or 1)
    print(
        f"{one.name}: {one.days} days, {one.principals} principals, {one.observations:,} observations, "
        f"{rate:,.0f} a second through the engine, {measured.rows:,} rows, {measured.late} too late"
    )
    print(
        f"  recall plain {one.recall('plain'):.3f}, hidden {one.recall(*HIDDEN):.3f}; "
        f"{one.false_a_day:.2f} false findings a day; precision {one.precision:.3f}"
    )
    for pattern, variants in one.found.items():
        print(f"  {pattern:24}", "  ".join(f"{name} {found}/{of}" for name, (found, of) in variants.items()))
    for rule, counts in one.rules.items():
        print(f"  {rule:40} fitting {counts[0]:4}  beside {counts[1]:4}  false {counts[2]:4}")
    if details:
        for episode in score.episodes:
            if episode not in score.found:
                lasts = span((episode.ends - episode.begins) / 1e6)
                print(
                    f"  missed: {episode.pattern}, {episode.variant}: {episode.acts} acts in {lasts}",
                    *episode.principals,
                )
        for finding in score.false_findings:
            print(
                f"  false: {finding.rule}: {dict(finding.key)} {finding.value:g}",
                finding.attributes.get("baseline", ""),
            )


if __name__ == "__main__":
    sys.exit(main())
