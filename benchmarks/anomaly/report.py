"""The figures as Markdown, and where the docs have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.anomaly.drawing import detect_curves, recall_bars
from benchmarks.anomaly.figures import GOAL_FALSE_A_DAY, GOAL_HIDDEN, GOAL_PLAIN, HIDDEN, Figures, SetFigures
from benchmarks.anomaly.scoring import quantile
from benchmarks.anomaly.settings import VARIANTS

BEGINS, ENDS = "<!-- figures: begin -->", "<!-- figures: end -->"
MINUTE_S, HOUR_S = 60, 3_600


def write(figures: Figures, page: Path) -> None:
    """Put the tables between the marks of the page, and the drawings beside it."""
    text = page.read_text()
    before, _, rest = text.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    page.write_text(f"{before}{BEGINS}\n{markdown(figures)}\n{ENDS}{after}")
    for name, one in figures.sets.items():
        (page.parent / f"anomaly-recall-{name}.svg").write_text(recall_bars(one))
        (page.parent / f"anomaly-detect-{name}.svg").write_text(detect_curves(one))


def markdown(figures: Figures) -> str:
    """All tables."""
    sets = list(figures.sets.values())
    parts = [
        f"Generator version {figures.generator}, rules `{figures.rules}`.",
        _headline(sets),
        "**Found, of how many, by pattern and variant.**",
    ]
    parts += [_patterns(one) for one in sets]
    parts += ["**Time from the first act to the finding**, of the episodes that were found.", _times(sets)]
    parts += [
        "**Findings by rule**: of a pattern the rule is meant for, of other misuse, false.",
        _rules(sets),
    ]
    for one in sets:
        parts.append(f"![Recall by pattern, {one.name}](anomaly-recall-{one.name}.svg)")
        parts.append(f"![Time to detect, {one.name}](anomaly-detect-{one.name}.svg)")
    return "\n\n".join(parts)


def _headline(sets: Iterable[SetFigures]) -> str:
    sets = list(sets)
    rows = [
        ["recall, plain", f"≥ {GOAL_PLAIN}", *(f"{one.recall('plain'):.3f}" for one in sets)],
        [
            "recall, slow, spread and disguised",
            f"≥ {GOAL_HIDDEN}",
            *(f"{one.recall(*HIDDEN):.3f}" for one in sets),
        ],
        *([f"… {variant}", "", *(f"{one.recall(variant):.3f}" for one in sets)] for variant in HIDDEN),
        ["false findings a day", f"≤ {GOAL_FALSE_A_DAY:g}", *(f"{one.false_a_day:.2f}" for one in sets)],
        ["precision", "", *(f"{one.precision:.3f}" for one in sets)],
        ["principals", "", *(str(one.principals) for one in sets)],
        ["days", "", *(str(one.days) for one in sets)],
        ["observations", "", *(f"{one.observations:,}" for one in sets)],
    ]
    return _table(["", "goal", *(one.name for one in sets)], rows)


def _patterns(figures: SetFigures) -> str:
    rows = [
        [pattern, *(_of(variants.get(variant)) for variant in VARIANTS)]
        for pattern, variants in figures.found.items()
    ]
    return _table([figures.name, *VARIANTS], rows)


def _times(sets: Iterable[SetFigures]) -> str:
    sets = list(sets)
    rows = [
        [variant, *(cell for one in sets for cell in _quantiles(one.delays_s.get(variant, [])))]
        for variant in VARIANTS
    ]
    return _table(["", *(f"{one.name}, {what}" for one in sets for what in ("median", "p90"))], rows)


def _rules(sets: Iterable[SetFigures]) -> str:
    sets = list(sets)
    names = sorted({rule for one in sets for rule in one.rules})
    rows = [[f"`{name}`", *(_slashed(one.rules.get(name, (0, 0, 0))) for one in sets)] for name in names]
    return _table(["rule", *(one.name for one in sets)], rows)


def _slashed(counts: Iterable[int]) -> str:
    return " / ".join(map(str, counts))


def _of(pair: tuple[int, int] | None) -> str:
    return f"{pair[0]} of {pair[1]}" if pair else ""


def _quantiles(delays: list[float]) -> Iterator[str]:
    for share in (0.5, 0.9):
        seconds = quantile(delays, share)
        yield "" if seconds is None else span(seconds)


def span(seconds: float) -> str:
    """A length of time for people."""
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    return f"{seconds / HOUR_S:.1f} h"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
