"""What is normal: a day of people, of agents with their loops, of CI at merges, of services with cron."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.anomaly.calendar import DAY_S, HOUR_S, SATURDAY, Day, hours_of, on_call, releases, works
from benchmarks.anomaly.chance import around, chance_of, heavy_tail
from benchmarks.anomaly.sittings import Calls, Shift, Sittings
from benchmarks.anomaly.world import Principal, World

RELEASE_TIMES = 2.5  # as much CI work, and as many approvals, on the day of a release
INCIDENT_TIMES = 2.5
NIGHT_S = 23 * HOUR_S
CHORES = ("secret", "scan", "mint", "bulk", "risky")  # what else misuse wants of actions


@dataclass(slots=True)
class Habits:
    """Makes days of normal work in a world."""

    world: World
    sittings: Sittings = field(init=False)

    def __post_init__(self) -> None:
        self.sittings = Sittings(self.world)

    def day(self, who: Principal, day: Day) -> Calls:
        """What a principal does on a day, not quite in order of time."""
        post = who.post(day.number)
        if post is None:
            return iter(())
        chance = chance_of(self.world.settings.seed, who.name, day.number)
        ways: dict[str, Callable[[Shift], Calls]] = {
            "people": self._person,
            "agents": self._agent,
            "ci": self._ci,
            "services": self._service,
        }
        return ways[who.sort](Shift(who, post, day, chance))

    def _person(self, shift: Shift) -> Calls:
        settings, who, day, chance = self.world.settings, shift.who, shift.day, shift.chance
        if works(settings, shift.post, day, chance):
            begins, ends = hours_of(who, day)
            busy = RELEASE_TIMES if releases(settings, shift.post.team, day) else 1.0
            for number in range(max(1, around(settings.roles[who.role].sittings, chance))):
                at = chance.uniform(begins, ends - 0.5 * HOUR_S)
                yield from self.sittings.sit(shift, number, at, busy)
            if day.number in settings.events.review_days and who.role == settings.events.reviewers:
                yield from self._review(shift, begins)
            if chance.random() < settings.events.chores:
                yield from self._chore(shift, chance.uniform(begins, ends - HOUR_S))
        yield from self._out_of_hours(shift)

    def _out_of_hours(self, shift: Shift) -> Calls:
        """On call at night, and at incidents of the own team."""
        who, day, chance, team = shift.who, shift.day, shift.chance, shift.post.team
        if on_call(self.world, team, day) == who.name and chance.random() < self.world.settings.events.paged:
            night = hours_of(who, day)[0] - who.hours[0] * HOUR_S + NIGHT_S
            yield from self.sittings.sit(shift, "night", night + chance.uniform(0, 5) * HOUR_S)
        incident = day.incident
        if incident is not None and incident.team == team and chance.random() < 0.5:
            for number in range(around(INCIDENT_TIMES, chance)):
                at = chance.uniform(incident.begins, incident.ends)
                yield from self.sittings.sit(shift, f"incident{number}", at, INCIDENT_TIMES)

    def _review(self, shift: Shift, begins: float) -> Calls:
        """Somebody goes through all namespaces in a day."""
        hand, chance = self.sittings.hand(shift, "review"), shift.chance
        actions = [self.world.settings.actions[name] for name in self.world.settings.means["scan"]]
        for number, place in enumerate(self.world.places):
            for action in actions[:2]:
                yield hand.call(begins + number * 240 + chance.uniform(0, 200), action, place)

    def _chore(self, shift: Shift, at: float) -> Calls:
        """Much of one thing in an hour or some: secrets moved, tokens made, tables copied, approvals collected."""
        settings, chance = self.world.settings, shift.chance
        hand, mean = self.sittings.hand(shift, "chore"), chance.choice(CHORES)
        action = settings.actions[chance.choice(settings.means[mean])]
        tail = heavy_tail(settings.events.chore_sigma).draw(chance)
        pace_s = chance.uniform(10, 240)
        for _ in range(int(settings.events.chore_acts * tail)):
            at += chance.expovariate(1 / pace_s)
            place = chance.choice(self.world.places if mean == "scan" else shift.post.places)
            held = mean == "risky"
            yield hand.call(at, action, place, outcome="held" if held else "ok", held=held)

    def _agent(self, shift: Shift) -> Calls:
        chance = shift.chance
        begins, ends = hours_of(shift.who, shift.day)
        quiet = 0.25 if shift.day.date.weekday() >= SATURDAY else 1.0
        for number in range(around(self.world.settings.roles[shift.who.role].sittings * quiet, chance)):
            in_hours = chance.random() < 0.85
            at = chance.uniform(begins, ends if in_hours else begins + DAY_S)
            yield from self.sittings.sit(shift, number, at)

    def _ci(self, shift: Shift) -> Calls:
        """A job for each merge; merges come in bursts on the day of a release."""
        settings, chance, day = self.world.settings, shift.chance, shift.day
        begins, ends = hours_of(shift.who, day)
        rate = settings.teams[shift.post.team].merges * (0.1 if day.date.weekday() >= SATURDAY else 1.0)
        burst = chance.uniform(begins, ends)
        busy = releases(settings, shift.post.team, day)
        for number in range(around(rate * (RELEASE_TIMES if busy else 1.0), chance)):
            together = busy and chance.random() < 0.6
            at = (
                burst + chance.uniform(0, 0.7 * HOUR_S) if together else chance.uniform(begins, ends + HOUR_S)
            )
            yield from self.sittings.sit(shift, number, at)

    def _service(self, shift: Shift) -> Calls:
        """A tick each so many minutes, around the clock; or one long run a night."""
        who, chance, places = shift.who, shift.chance, shift.post.places
        facts = self.world.settings.services[who.service]
        mix, hand = self.sittings.mix(f"service {who.service}", facts.mix), self.sittings.hand(shift, "cron")
        if facts.at_hour is not None:
            ticks = [shift.day.midnight + facts.at_hour * HOUR_S]
        else:
            first = shift.day.midnight + chance_of(who.name).uniform(0, facts.every_min * 60)
            ticks = [first + tick * facts.every_min * 60 for tick in range(int(1440 / facts.every_min))]
        for tick in ticks:
            at = tick + chance.uniform(0, 4)
            for number in range(int(facts.calls)):
                at += chance.expovariate(1 / 0.4)
                place = places[number % len(places)] if facts.reach == "all" else chance.choice(places)
                yield self.sittings.one(shift, hand, at, mix.draw(chance), place)
