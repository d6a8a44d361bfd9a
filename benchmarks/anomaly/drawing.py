"""Drawings as SVG, by hand: bars of recall and curves of the time to detect. Readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import log10

from benchmarks.anomaly.figures import SetFigures
from benchmarks.anomaly.settings import VARIANTS

COLOURS = {"plain": "#3b6fb5", "slow": "#d98032", "spread": "#4f9d69", "disguised": "#a5559b"}
INK = "#777"
WIDTH = 760
LEFT, TOP = 190, 44
ROW, BAR = 46, 9
AXIS = WIDTH - LEFT - 24
CURVE_HEIGHT = 260
SHORTEST_S, LONGEST_S = 1.0, 200_000.0
TICKS = (
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3_600, "1 h"),
    (14_400, "4 h"),
    (86_400, "1 day"),
)


def recall_bars(figures: SetFigures) -> str:
    """For each pattern a bar a variant: the share of its episodes that were found."""
    height = TOP + ROW * len(figures.found) + 30
    return _drawing(height, f"Recall by pattern, {figures.name} set", [*_grid(height), *_bars(figures)])


def _bars(figures: SetFigures) -> Iterator[str]:
    for row, (pattern, variants) in enumerate(figures.found.items()):
        top = TOP + row * ROW
        yield _text(LEFT - 8, top + ROW / 2, pattern, anchor="end")
        for place, variant in enumerate(name for name in VARIANTS if name in variants):
            found, of = variants[variant]
            width = max(1.5, AXIS * found / of)
            y = top + 3 + place * (BAR + 1)
            yield (
                f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{COLOURS[variant]}">'
                f"<title>{escape(pattern)}, {variant}: {found} of {of}</title></rect>"
            )


def _grid(height: int) -> Iterator[str]:
    for percent in (0, 25, 50, 75, 100):
        x = LEFT + AXIS * percent / 100
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 26}" stroke="{INK}" stroke-opacity=".35"/>'
        yield _text(x, height - 10, f"{percent} %", anchor="middle")


def detect_curves(figures: SetFigures) -> str:
    """For each variant a curve: the share of all its episodes found within a time, on a logarithmic axis."""
    height = TOP + CURVE_HEIGHT + 40
    parts = [*_curve_grid(height)]
    for variant in VARIANTS:
        of = sum(row[variant][1] for row in figures.found.values() if variant in row)
        if of:
            parts.append(_curve(figures.delays_s[variant], of, COLOURS[variant]))
    return _drawing(height, f"Episodes found within a time of their first act, {figures.name} set", parts)


def _curve(delays: Sequence[float], of: int, colour: str) -> str:
    points = [(_x(SHORTEST_S), _y(0.0))]
    for number, seconds in enumerate(delays, start=1):
        points += [(_x(seconds), points[-1][1]), (_x(seconds), _y(number / of))]
    points.append((_x(LONGEST_S), points[-1][1]))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _curve_grid(height: int) -> Iterator[str]:
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + AXIS}" y2="{y:.1f}" stroke="{INK}" stroke-opacity=".35"/>'
        yield _text(LEFT - 8, y + 4, f"{percent} %", anchor="end")
    for seconds, name in TICKS:
        yield _text(_x(seconds), height - 16, name, anchor="middle")


def _x(seconds: float) -> float:
    share = log10(min(max(seconds, SHORTEST_S), LONGEST_S) / SHORTEST_S) / log10(LONGEST_S / SHORTEST_S)
    return LEFT + AXIS * share


def _y(share: float) -> float:
    return TOP + CURVE_HEIGHT * (1 - share)


def _legend() -> Iterator[str]:
    for place, variant in enumerate(VARIANTS):
        x = LEFT + place * 110
        yield f'<rect x="{x}" y="26" width="10" height="10" fill="{COLOURS[variant]}"/>'
        yield _text(x + 15, 35, variant)


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}">{escape(words)}</text>'


def _drawing(height: int, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
    )
    return "\n".join([head, _text(LEFT, 15, title), *_legend(), *parts, "</svg>\n"])
