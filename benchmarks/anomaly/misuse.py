"""Where misuse lies among normal work: who does it, when, from where, in which sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.anomaly.calendar import DAY_S, HOUR_S, day_of, hours_of, works
from benchmarks.anomaly.chance import chance_of
from benchmarks.anomaly.episodes import PATTERNS, Episode
from benchmarks.anomaly.hand import Hand
from benchmarks.anomaly.patterns import MAKES, Act, Plot
from benchmarks.anomaly.settings import VARIANTS
from benchmarks.anomaly.sittings import station
from benchmarks.anomaly.world import Post, Principal, World
from processors.anomaly.observation import Observation

APART_DAYS = 2  # a principal has no other episode this near
TRIES = 400
THIEVES = ("curl", "python-requests", "Go-http-client", "okhttp")


@dataclass(frozen=True, slots=True)
class Kind:
    """An episode to be made: its pattern and variant, and its number among those."""

    pattern: str
    variant: str
    number: int

    @property
    def disguised(self) -> bool:
        """Among the normal work of a working day."""
        return self.variant == "disguised"

    @property
    def otherwise(self) -> bool:
        """With other verbs and tools than the plain ones; half of the spread ones do that, too."""
        return self.disguised or (self.variant == "spread" and self.number % 2 == 1)

    @property
    def sorts(self) -> tuple[str, ...]:
        """Who does it: people and agents, CI where it hides among its own tokens, nobody's agent is stolen."""
        if self.pattern == "token-surge" and self.disguised:
            return ("people", "ci")
        return (
            ("people",) if self.pattern in {"stolen-credential", "approval-burst"} else ("people", "agents")
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """An act with its time and hand."""

    at: float
    hand: Hand
    act: Act

    def observation(self, world: World) -> Observation:
        """The call, made when its day is: a secret has the pseudonym of then."""
        act = self.act
        carried = tuple(
            place.secret_of[act.carries] for place in world.places if act.carries in place.secret_of
        )
        return self.hand.call(
            self.at, act.action, act.place, act.target, act.outcome,
            held=act.held, prompt=act.prompt, changed=act.changed, carried=carried, times=act.times,
        )  # fmt: skip


@dataclass(slots=True)
class Misuse:
    """All episodes of a month, and their acts by day."""

    world: World
    episodes: list[Episode] = field(default_factory=list)
    _by_day: dict[int, list[Planned]] = field(default_factory=dict)
    _taken: dict[str, list[float]] = field(default_factory=dict)

    def plan(self) -> None:
        """Lay out every episode of the settings; raises ValueError where they do not fit in."""
        misuse = self.world.settings.misuse
        for pattern in (name for name in PATTERNS if name in misuse):
            for variant in VARIANTS:
                for number in range(misuse[pattern].episodes.get(variant, 0)):
                    self._episode(Kind(pattern, variant, number))

    def of_day(self, number: int) -> Iterator[Observation]:
        """The acts of a day."""
        return (one.observation(self.world) for one in self._by_day.get(number, ()))

    def _episode(self, kind: Kind) -> None:
        settings = self.world.settings
        chance = chance_of(settings.seed, "misuse", kind.pattern, kind.variant, kind.number)
        facts = settings.misuse[kind.pattern]
        begins, group = self._cast(kind, chance)
        plot = Plot(
            self.world, group[0], _post(group[0], self._day(begins)),
            count=chance.randint(*facts.acts[kind.variant]), times=facts.times.get(kind.variant, 1.0),
            other=kind.otherwise, chance=chance,
        )  # fmt: skip
        acts = list(MAKES[kind.pattern](plot))
        hours = chance.uniform(*settings.variants[kind.variant].hours)
        moments = sorted(chance.uniform(begins, begins + hours * HOUR_S) for _ in acts)
        hands = self._hands(kind, group, begins, chance)
        planned = [
            Planned(at, chance.choice(hands[number % len(hands)]), act)
            for number, (at, act) in enumerate(zip(moments, acts, strict=True))
        ]
        self._keep(kind, group, planned)

    def _keep(self, kind: Kind, group: list[Principal], planned: list[Planned]) -> None:
        for one in planned:
            self._by_day.setdefault(self._day(one.at), []).append(one)
        first, last = planned[0].at, planned[-1].at
        for who in group:
            self._taken.setdefault(who.name, []).extend((first, last))
        self.episodes.append(
            Episode(
                kind.pattern, kind.variant, kind.number, int(first * 1e6), int(last * 1e6),
                principals=tuple(dict.fromkeys(one.hand.principal for one in planned)),
                objects=frozenset(one.act.target for one in planned if one.act.target), acts=len(planned),
            )
        )  # fmt: skip

    def _day(self, at: float) -> int:
        return int((at - day_of(self.world, 0).midnight) // DAY_S)

    def _cast(self, kind: Kind, chance: Random) -> tuple[float, list[Principal]]:
        """When it begins, and who is in it: members of one team who have no other episode near."""
        settings = self.world.settings
        lies = settings.variants[kind.variant]
        last = max(settings.misuse_from_day, settings.days - 1 - int(lies.hours[1] // 24 + 1))
        able = [one for one in self.world.principals if one.sort in kind.sorts]
        for _ in range(TRIES):
            day = chance.randint(settings.misuse_from_day, last)
            leader, wanted = chance.choice(able), chance.randint(*lies.principals)
            begins, team = self._begin(kind, leader, day, chance), _team(leader, day)
            mates = [one for one in able if _team(one, day) == team and one is not leader]
            group = [leader, *chance.sample(mates, min(len(mates), wanted - 1))]
            if (
                begins is not None
                and len(group) == wanted
                and self._free(group, begins, lies.hours[1] * HOUR_S)
            ):
                return begins, group
        raise ValueError(f"no principals and no day left for {kind}: ask for fewer episodes")

    def _begin(self, kind: Kind, who: Principal, number: int, chance: Random) -> float | None:
        """About working hours; in disguise at the beginning of a day on which the principal does work."""
        post = who.post(number)
        if post is None:
            return None
        day = day_of(self.world, number)
        begins, ends = hours_of(who, day)
        if not kind.disguised:
            return chance.uniform(begins - 2 * HOUR_S, ends + 2 * HOUR_S)
        # The same chance as the principal's own day begins with, so the answer is the same.
        own = chance_of(self.world.settings.seed, who.name, number)
        there = who.sort != "people" or works(self.world.settings, post, day, own)
        return begins + 0.3 * HOUR_S if there else None

    def _free(self, group: list[Principal], begins: float, seconds: float) -> bool:
        margin = APART_DAYS * DAY_S
        taken = (at for who in group for at in self._taken.get(who.name, ()))
        return not any(begins - margin < at < begins + seconds + margin for at in taken)

    def _hands(self, kind: Kind, group: list[Principal], begins: float, chance: Random) -> list[list[Hand]]:
        """For each principal its hands, one a session: from its own station, or all from a thief's."""
        day = day_of(self.world, self._day(begins))
        there = f"45.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
        sessions = self.world.settings.variants[kind.variant].sessions
        hands = []
        for who in group:
            client, address = station(self.world, who, day)
            if kind.pattern == "stolen-credential":
                client, address = client if kind.disguised else chance.choice(THIEVES), there
            hands.append([
                Hand(
                    self.world, chance, principal=who.key, post=_post(who, day.number), station=(client, address),
                    key=f"{who.name}/{day.number}/{_sitting(kind, session)}",
                )
                for session in range(sessions)
            ])  # fmt: skip
        return hands


def _sitting(kind: Kind, session: int) -> str:
    """In disguise the sessions of the day's own sittings, else sessions of its own."""
    own = f"x{PATTERNS.index(kind.pattern)}{kind.variant[:2]}{kind.number}-{session}"
    return str(session) if kind.disguised and kind.pattern != "stolen-credential" else own


def _post(who: Principal, day: int) -> Post:
    post = who.post(day)
    if post is None:
        raise ValueError(f"{who.name} has not joined on day {day}")
    return post


def _team(who: Principal, day: int) -> str:
    post = who.post(day)
    return post.team if post else ""
