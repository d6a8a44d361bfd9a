"""One sitting of normal work: calls about one place that succeed, fail, are denied, wait for approval, get stuck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.anomaly.calendar import Day
from benchmarks.anomaly.chance import Weighted, chance_of, heavy_tail, popular
from benchmarks.anomaly.hand import Hand
from benchmarks.anomaly.settings import Action
from benchmarks.anomaly.world import Place, Post, Principal, World
from processors.anomaly.observation import Observation, Outcome

Calls = Iterator[Observation]
FOCUS = 0.85  # of a sitting's calls go to the place it is about
PLACES = 0.7  # exponent of Zipf's law over the places of a principal
LOOP_MAX = 45
PASTERS = ("people", "agents")
STUCK: tuple[Outcome, ...] = ("failed", "failed", "failed", "denied")


@dataclass(frozen=True, slots=True)
class Shift:
    """A principal's day, with the chance of that day."""

    who: Principal
    post: Post
    day: Day
    chance: Random


@dataclass(slots=True)
class Sittings:
    """Makes the calls of sittings in a world."""

    world: World
    _mixes: dict[str, Weighted[Action]] = field(default_factory=dict)

    def hand(self, shift: Shift, sitting: object) -> Hand:
        """The principal's own hand for a sitting, from where it is on that day."""
        who, post, day, chance = shift.who, shift.post, shift.day, shift.chance
        client, address = station(self.world, who, day)
        if who.sort == "ci":
            address = chance.choice(who.office)
        return Hand(
            self.world,
            chance,
            principal=who.key,
            post=post,
            station=(client, address),
            key=f"{who.name}/{day.number}/{sitting}",
        )

    def sit(self, shift: Shift, name: object, at: float, busy: float = 1.0) -> Calls:
        """Calls about one place, with looks elsewhere; a sitting is its own session on each connection."""
        chance, own = shift.chance, shift.post.places
        role = self.world.settings.roles[shift.who.role]
        hand, mix, pace = (
            self.hand(shift, name),
            self.own_mix(shift.who, role.mix),
            self._taste(shift.who, "pace"),
        )
        about = (
            chance.choice(self.world.places)
            if chance.random() < role.abroad
            else popular(own, PLACES, chance)
        )
        calls = max(1, int(role.calls * pace * heavy_tail(role.sigma).draw(chance)))
        stuck = chance.randrange(calls) if chance.random() < self._loops(shift.who) else -1
        for number in range(calls):
            at += chance.expovariate(1 / role.gap_s)
            place = about if chance.random() < FOCUS else popular(own, PLACES, chance)
            action = mix.draw(chance)
            if number == stuck:
                yield from self._stuck(hand, at, action, place, role.gap_s)
            elif action.approval and chance.random() < action.approval * busy:
                yield from self._asked(hand, at, action, place)
            else:
                one = self.one(shift, hand, at, action, place)
                yield one
                if one.outcome == "denied":
                    yield from self._after_denial(hand, at, one, action, place)

    def one(self, shift: Shift, hand: Hand, at: float, action: Action, place: Place) -> Observation:
        """A normal call, which may fail, be denied, carry a secret by mistake, or read like misuse."""
        chance, day, events = shift.chance, shift.day, self.world.settings.events
        failing = day.failing(at, place.name, events.incident_failed) if day.incident is not None else 0.0
        outcome = hand.outcome(action, place, failing)
        prompt = action.prompt > 0 and chance.random() < action.prompt
        upgrade = day.upgrade
        if upgrade is not None and upgrade.tool == action.tool and upgrade.begins <= at < upgrade.ends:
            outcome = outcome if upgrade.lax else "denied"
            return hand.call(at, action, place, outcome=outcome, prompt=prompt, changed=True)
        pasted = shift.who.sort in PASTERS and chance.random() < events.pasted
        carried = (chance.choice(list(place.secret_of.values())),) if pasted else ()
        return hand.call(at, action, place, outcome=outcome, prompt=prompt, carried=carried)

    def own_mix(self, who: Principal, weights: dict[str, float]) -> Weighted[Action]:
        """The mix of a role as this principal does it."""
        if who.name not in self._mixes:
            weights = {action: weight * self._taste(who, action) for action, weight in weights.items()}
        return self.mix(who.name, weights)

    def mix(self, name: str, weights: dict[str, float]) -> Weighted[Action]:
        """Actions by weight, kept by name."""
        mix = self._mixes.get(name)
        if mix is None:
            actions = self.world.settings.actions
            mix = self._mixes[name] = Weighted(
                (actions[action], weight) for action, weight in weights.items()
            )
        return mix

    def _taste(self, who: Principal, what: str) -> float:
        """How many times as much as its role a principal does of something."""
        settings = self.world.settings
        return heavy_tail(settings.taste).draw(chance_of(settings.seed, "taste", who.name, what))

    def _loops(self, who: Principal) -> float:
        return self.world.settings.events.loops * (1.0 if who.sort == "agents" else 0.1)

    def _stuck(self, hand: Hand, at: float, action: Action, place: Place, gap_s: float) -> Calls:
        """An agent that repeats one call that fails, or is denied, until it gives up."""
        target, outcome = _one_of(place, action, hand.chance), hand.chance.choice(STUCK)
        for _ in range(hand.chance.randrange(4, LOOP_MAX)):
            at += hand.chance.expovariate(2 / gap_s)
            yield hand.call(at, action, place, target, outcome)

    def _asked(self, hand: Hand, at: float, action: Action, place: Place) -> Calls:
        """An approval is asked for, mostly given some minutes later, and the call repeated."""
        target = _one_of(place, action, hand.chance)
        yield hand.call(at, action, place, target, "held", held=True)
        if hand.chance.random() < 0.9:
            yield hand.call(at + hand.chance.uniform(30, 900), action, place, target)

    def _after_denial(self, hand: Hand, at: float, one: Observation, action: Action, place: Place) -> Calls:
        """What people do when denied: try once more, get the right and do it again, look at the thing instead."""
        chance = hand.chance
        drawn = chance.random()
        target = "" if action.lists else one.object
        if drawn < 0.35:
            yield hand.call(at + chance.uniform(5, 90), action, place, target, "denied")
        elif drawn < 0.5:
            yield hand.call(at + chance.uniform(300, 3600), action, place, target)
        elif drawn < 0.75 and not action.sensitive:
            look = self._look(action, chance)
            if look is not None:
                yield hand.call(at + chance.uniform(5, 120), look, place, "" if look.lists else target)

    def _look(self, action: Action, chance: Random) -> Action | None:
        looks = [
            one for one in self.world.settings.actions.values() if one.kind == action.kind and not one.writes
        ]
        return chance.choice(looks) if looks else None


def _one_of(place: Place, action: Action, chance: Random) -> str:
    return "" if action.lists else popular(place.objects[action.kind], 1.0, chance)


def station(world: World, who: Principal, day: Day) -> tuple[str, str]:
    """Client and address of a principal on that day: office or home, now and then a journey or another client."""
    settings = world.settings
    if who.sort != "people":
        return who.clients[0], who.office[0]
    chance = chance_of(settings.seed, "station", who.name, day.number)
    client = who.clients[0] if chance.random() < 0.75 else who.clients[-1]
    if chance.random() < settings.events.new_client:
        client = chance.choice(settings.clients["people"])
    if chance.random() < settings.events.travel:
        return client, f"203.0.{chance.randrange(100, 120)}.{chance.randrange(1, 255)}"
    return client, who.home if chance.random() < settings.homes else chance.choice(who.office)
