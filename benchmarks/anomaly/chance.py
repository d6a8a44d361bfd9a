"""Chance that can be repeated, and fast enough to draw millions of times."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from math import exp
from random import Random
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
_TABLE = 8192


def chance_of(*names: object) -> Random:
    """A source of its own for each name, so that a change in one place changes nothing elsewhere."""
    return Random("/".join(map(str, names)))


class Weighted(Generic[Thing]):
    """Things drawn by weight."""

    __slots__ = ("_sums", "things")

    def __init__(self, weights: Iterable[tuple[Thing, float]]) -> None:
        pairs = [pair for pair in weights if pair[1] > 0]
        self.things = tuple(thing for thing, _ in pairs)
        total = sum(weight for _, weight in pairs)
        self._sums = list(accumulate(weight / total for _, weight in pairs))
        self._sums[-1] = 1.0  # sums of floats may end just below

    def draw(self, chance: Random) -> Thing:
        """One of them."""
        return self.things[bisect(self._sums, chance.random())]


@lru_cache(maxsize=4096)
def _zipf(count: int, exponent: float) -> list[float]:
    weights = [1 / (rank + 1) ** exponent for rank in range(count)]
    total = sum(weights)
    sums = list(accumulate(weight / total for weight in weights))
    sums[-1] = 1.0
    return sums


def popular(things: Sequence[Thing], exponent: float, chance: Random) -> Thing:
    """One of them by Zipf's law: the first is the most popular."""
    return things[bisect(_zipf(len(things), exponent), chance.random())]


class HeavyTail:
    """Log-normal numbers of one sigma around a median of 1, from a table."""

    __slots__ = ("_table",)

    def __init__(self, sigma: float) -> None:
        chance = Random(f"heavy tail {sigma}")
        self._table = [exp(chance.gauss(0, sigma)) for _ in range(_TABLE)]

    def draw(self, chance: Random) -> float:
        """One number."""
        return self._table[int(chance.random() * _TABLE)]


@lru_cache(maxsize=64)
def heavy_tail(sigma: float) -> HeavyTail:
    """The one table of this sigma."""
    return HeavyTail(sigma)


def around(mean: float, chance: Random) -> int:
    """A whole number around a mean (Poisson, by its waiting times; means stay below 100)."""
    if mean <= 0:
        return 0
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count += 1
        left += chance.expovariate(1)
    return count
