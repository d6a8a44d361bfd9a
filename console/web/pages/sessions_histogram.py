"""Exchanges over time as a picture: bars of fixed places, so that a page is laid out once. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.web.pages.search import Search, utc
from sinks.readers import SessionBucket, SessionCounts

BUCKETS = 48
WIDTH, HEIGHT, FOOT = 960, 120, 18
GAP = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket. Coordinates of the picture; `address` narrows the list to it."""

    bucket: SessionBucket
    until: str
    x: float
    y: float
    width: float
    height: float
    bad_y: float
    bad_height: float
    address: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """`peak`: exchanges of the highest bar. `ticks`: (x, ISO time) of a few times below. `told`: what the picture
    shows, in a sentence."""

    bars: list[Bar]
    peak: int
    ticks: list[tuple[float, str]]
    since: str
    until: str
    told: str
    width: int = WIDTH
    height: int = HEIGHT
    foot: int = FOOT


def histogram(counts: SessionCounts, search: Search) -> Histogram:
    """The picture of `counts`; links keep everything else that is looked for."""
    buckets = counts["buckets"]
    peak = max((each["exchanges"] for each in buckets), default=0)
    step = WIDTH / max(1, len(buckets))
    length = timedelta(seconds=counts["bucket_seconds"])
    bars = [_bar(each, at * step, (step, peak, length), search) for at, each in enumerate(buckets)]
    every = max(1, len(bars) // 6)
    ticks = [(bar.x, bar.bucket["at"]) for bar in bars[::every]]
    exchanges = sum(each["exchanges"] for each in buckets)
    denied, errors = sum(each["denied"] for each in buckets), sum(each["errors"] for each in buckets)
    counted = "1 exchange" if exchanges == 1 else f"{exchanges:,} exchanges"
    told = f"{counted}: {denied:,} denied or held, {errors:,} failed; at most {peak:,} in one bar."
    return Histogram(bars, peak, ticks, counts["since"], counts["until"], told)


def _bar(bucket: SessionBucket, x: float, scale: tuple[float, int, timedelta], search: Search) -> Bar:
    step, peak, length = scale
    begun = datetime.fromisoformat(bucket["at"])
    until = utc(begun + length)
    height = _high(bucket["exchanges"], peak)
    bad = min(height, _high(bucket["denied"] + bucket["errors"], peak))
    address = search.within(utc(begun), until).address()
    y = HEIGHT - height
    return Bar(bucket, until, round(x, 2), y, round(step - GAP, 2), height, HEIGHT - bad, bad, address)


def _high(count: int, peak: int) -> float:
    """Whatever happened is seen."""
    return max(3.0, round(count / peak * (HEIGHT - 4), 2)) if count and peak else 0.0
