"""Days: which are worked, when a team's day is in UTC, when it releases, who is on call, what is broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from benchmarks.anomaly.chance import chance_of
from benchmarks.anomaly.settings import Settings
from benchmarks.anomaly.world import Post, Principal, World

DAY_S = 86_400
HOUR_S = 3_600
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Incident:
    """Something is broken for some hours; calls into `places` fail, and their team works on it."""

    begins: float
    ends: float
    places: frozenset[str]
    team: str


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A tool that another definition was given, until somebody accepts it; `lax`: its calls go through."""

    tool: str
    begins: float
    ends: float
    lax: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the month: its number, its midnight in UTC (seconds since 1970), and what is up on it."""

    number: int
    date: date
    midnight: float
    incident: Incident | None
    upgrade: Upgrade | None = None

    def failing(self, at: float, place: str, extra: float) -> float:
        """How many more calls into that place fail at that time."""
        incident = self.incident
        if incident is None or place not in incident.places or not incident.begins <= at < incident.ends:
            return 0.0
        return extra


def day_of(world: World, number: int) -> Day:
    """The facts of a day."""
    settings = world.settings
    day = settings.start + timedelta(days=number)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return Day(number, day, midnight, _incident(world, number, midnight), _upgrade(world, number, midnight))


def _upgrade(world: World, number: int, midnight: float) -> Upgrade | None:
    events = world.settings.events
    lax = number in events.lax_days
    if not lax and number not in events.upgrade_days:
        return None
    chance = chance_of(world.settings.seed, "upgrade", number)
    tool = chance.choice(sorted({action.tool for action in world.settings.actions.values() if action.tool}))
    begins = midnight + chance.uniform(6, 14) * HOUR_S
    return Upgrade(tool, begins, begins + chance.uniform(0.3, 1.5) * HOUR_S, lax)


def _incident(world: World, number: int, midnight: float) -> Incident | None:
    if number not in world.settings.events.incident_days:
        return None
    chance = chance_of(world.settings.seed, "incident", number)
    team = chance.choice(list(world.settings.teams))
    begins = midnight + chance.uniform(4, 20) * HOUR_S
    broken = chance.sample(world.by_team[team], min(3, len(world.by_team[team])))
    names = frozenset(place.name for place in broken)
    return Incident(begins, begins + chance.uniform(2, 7) * HOUR_S, names, team)


@lru_cache(maxsize=4096)
def zone_offset(zone: str, day: date) -> float:
    """Seconds by which the zone is ahead of UTC at noon of that day."""
    offset = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def hours_of(who: Principal, day: Day) -> tuple[float, float]:
    """When its working day begins and ends, in seconds since 1970."""
    noughth = day.midnight - zone_offset(who.zone, day.date)
    return noughth + who.hours[0] * HOUR_S, noughth + who.hours[1] * HOUR_S


def works(settings: Settings, post: Post, day: Day, chance: Random) -> bool:
    """Whether a person works on that day at all."""
    if day.date in settings.teams[post.team].holidays or day.date.weekday() >= SATURDAY:
        return chance.random() < settings.events.weekend
    return chance.random() >= settings.events.absent


def releases(settings: Settings, team: str, day: Day) -> bool:
    """Whether a team releases on that day: never at weekends."""
    every = settings.teams[team].release_days
    first = list(settings.teams).index(team) % every
    return day.date.weekday() < SATURDAY and day.number % every == first


def on_call(world: World, team: str, day: Day) -> str:
    """Who of a team is on call in this week; '' where it has no people."""
    there = [one.name for one in world.principals if one.sort == "people" and _of(one, day.number) == team]
    return there[(day.number // 7) % len(there)] if there else ""


def _of(who: Principal, day: int) -> str:
    post = who.post(day)
    return post.team if post else ""
