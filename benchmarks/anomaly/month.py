"""A whole month, as it reaches the engine: normal work and misuse by time of arrival, some of it late."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from operator import itemgetter
from random import Random

from benchmarks.anomaly.calendar import DAY_S, day_of, releases
from benchmarks.anomaly.chance import chance_of
from benchmarks.anomaly.episodes import Episode
from benchmarks.anomaly.habits import Habits
from benchmarks.anomaly.misuse import Misuse
from benchmarks.anomaly.settings import Settings
from benchmarks.anomaly.world import World, build
from processors.anomaly.observation import Observation

VERSION = 1
"""Rises when the same settings make another month: figures in the docs belong to one version."""

Arrival = tuple[float, Observation]
"""When the engine gets it (seconds since 1970), and what."""


@dataclass(slots=True)
class Month:
    """The month of a settings file. Iterate `batches` once."""

    settings: Settings
    days: int
    world: World = field(init=False)
    misuse: Misuse = field(init=False)

    def __post_init__(self) -> None:
        self.world = build(self.settings)
        self.misuse = Misuse(self.world)
        self.misuse.plan()

    @property
    def episodes(self) -> list[Episode]:
        """The labels."""
        return self.misuse.episodes

    def batches(self) -> Iterator[list[Observation]]:
        """Observations in the order in which the engine gets them, about a day of them at a time."""
        habits = Habits(self.world)
        waiting: list[Arrival] = []
        for number in range(self.days):
            waiting.extend(self._day(number, habits))
            waiting.sort(key=itemgetter(0))
            # What comes after this noon may be overtaken by the next day's: zones are up to 14 hours apart.
            until = day_of(self.world, number).midnight + DAY_S / 2 if number < self.days - 1 else inf
            done = bisect_left(waiting, until, key=itemgetter(0))
            yield [one for _, one in waiting[:done]]
            del waiting[:done]

    def _day(self, number: int, habits: Habits) -> Iterator[Arrival]:
        day = day_of(self.world, number)
        for team in self.settings.teams:
            if releases(self.settings, team, day):
                self.world.release(team, number)
        chance = chance_of(self.settings.seed, "arrivals", number)
        for who in self.world.principals:
            yield from self._transport(habits.day(who, day), chance)
        yield from self._transport(self.misuse.of_day(number), chance)

    def _transport(self, made: Iterator[Observation], chance: Random) -> Iterator[Arrival]:
        transport = self.settings.transport
        pace, drawn = 1 / transport.delay_s, chance.random
        for one in made:
            delay = drawn() * 2 / pace
            if drawn() < transport.late:
                delay += chance.expovariate(1 / transport.late_s)
            yield one.at / 1e6 + delay, one
