"""Charts as geometry: numbers in, places in a picture out. Pure; the template draws them as SVG, with a table of the
same numbers behind each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 8, 24
LABELS_MAX = 6
TICKS = 4
_GAP = 0.15  # of a bar's place


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid, or a label under the picture, at `at` units from the left or the top."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle. `name` is the series."""

    name: str
    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A series as pieces of points, broken where there is nothing to show."""

    name: str
    pieces: Sequence[str]
    dots: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of `width` times `height` units. `head` and `rows` are the numbers in it, as a table, in which the
    first cell of a row is a time. `empty`: there is nothing in it."""

    name: str
    title: str
    summary: str
    unit: str
    series: Sequence[str]
    bars: Sequence[Bar]
    lines: Sequence[Line]
    across: Sequence[Tick]
    down: Sequence[Tick]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM
    right: int = WIDTH - RIGHT


Series = Mapping[str, Sequence[float | None]]
"""Name → a value a bucket; None where there is none."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a chart shows: a value of each series for each bucket, which begin at the ISO times `at`."""

    name: str
    title: str
    unit: str
    at: Sequence[str]
    series: Series

    @property
    def step(self) -> float:
        """How wide a bucket is drawn."""
        return (WIDTH - LEFT - RIGHT) / max(1, len(self.at))


def stacked(numbers: Numbers) -> Chart:
    """One bar a bucket, its parts on top of each other; all values are counts."""
    series, step = numbers.series, numbers.step
    sums = [sum(values[at] or 0 for values in series.values()) for at in range(len(numbers.at))]
    top = nice(max(sums, default=0))
    bars: list[Bar] = []
    for number, moment in enumerate(numbers.at):
        height = 0.0
        for part, values in series.items():
            if value := values[number] or 0:
                y = _y(height + value, top)
                text = f"{_clock(moment, numbers.at)} UTC: {value:g} {part}"
                x, width = LEFT + step * (number + _GAP / 2), step * (1 - _GAP)
                bars.append(Bar(part, _r(x), _r(y), _r(width), _r(_y(height, top) - y), text))
                height += value
    said = f"{sum(sums):g} {numbers.unit} in all, at most {max(sums, default=0):g} at once."
    return _chart(numbers, said, top, bars=bars)


def lines(numbers: Numbers) -> Chart:
    """One line a series."""
    known = {part: [v for v in values if v is not None] for part, values in numbers.series.items()}
    top = nice(max((value for values in known.values() for value in values), default=0))
    drawn = [_line(part, _points(values, numbers.step, top)) for part, values in numbers.series.items()]
    peaks = [f"{part} at most {max(values):.4g} {numbers.unit}" for part, values in known.items() if values]
    return _chart(numbers, "; ".join(peaks) + ".", top, drawn=drawn)


@dataclass(frozen=True, slots=True)
class Share:
    """A line of a ranking; `part` is per cent of the longest."""

    name: str
    count: int
    part: float


def ranking(rows: Iterable[tuple[str, int]]) -> list[Share]:
    """The given order, each with its length beside the longest."""
    found = list(rows)
    most = max((count for _, count in found), default=0) or 1
    return [Share(name, count, _r(100 * count / most)) for name, count in found]


def nice(most: float) -> float:
    """A round number that is not below `most`: 1, 2, 4, 5 or 10 times a power of ten; 1 for nothing."""
    if most <= 0:
        return 1.0
    power = 10.0 ** floor(log10(most))
    return next((step * power for step in (1, 2, 4, 5, 10) if most <= step * power), 10 * power)


def _chart(
    numbers: Numbers, summary: str, top: float, *, bars: Sequence[Bar] = (), drawn: Sequence[Line] = ()
) -> Chart:
    at, series = numbers.at, numbers.series
    empty = not any(value for values in series.values() for value in values)
    return Chart(
        name=numbers.name,
        title=numbers.title,
        summary="There is nothing in this time." if empty else summary,
        unit=numbers.unit,
        series=list(series),
        bars=bars,
        lines=drawn,
        across=_across(numbers),
        down=[Tick(_r(_y(top * n / TICKS, top)), f"{top * n / TICKS:g}") for n in range(TICKS + 1)],
        head=["from", *series],
        rows=[[moment, *(_cell(values[n]) for values in series.values())] for n, moment in enumerate(at)],
        empty=empty,
    )


def _across(numbers: Numbers) -> list[Tick]:
    every = max(1, ceil(len(numbers.at) / LABELS_MAX))
    return [
        Tick(_r(_x(number, numbers.step)), _clock(moment, numbers.at))
        for number, moment in list(enumerate(numbers.at))[::every]
    ]


def _points(values: Sequence[float | None], step: float, top: float) -> list[tuple[float, float] | None]:
    return [None if value is None else (_x(n, step), _y(value, top)) for n, value in enumerate(values)]


def _line(name: str, points: Sequence[tuple[float, float] | None]) -> Line:
    pieces: list[str] = []
    dots: list[tuple[float, float]] = []
    run: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            run.append((_r(point[0]), _r(point[1])))
            continue
        if len(run) > 1:
            pieces.append(" ".join(f"{x:g},{y:g}" for x, y in run))
        dots += run[:1] if len(run) == 1 else []
        run = []
    return Line(name, pieces, dots)


def _clock(moment: str, at: Sequence[str]) -> str:
    """UTC: the time within two days, the day beyond."""
    first, last = _read(at[0]), _read(at[-1])
    return _read(moment).strftime("%H:%M" if (last - first).total_seconds() <= 2 * 86_400 else "%d %b")


def _read(moment: str) -> datetime:
    found = datetime.fromisoformat(moment)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _x(number: int, step: float) -> float:
    return LEFT + step * (number + 0.5)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _r(value: float) -> float:
    return round(value, 2)
