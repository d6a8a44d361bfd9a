"""Who there is and what they work on: teams, principals, namespaces with their objects, secrets and people's data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.anomaly.chance import chance_of
from benchmarks.anomaly.settings import Settings, Team

ISSUER = "https://login.example"
NEVER = -1
OFFICE_EXITS = 4


@dataclass(slots=True)
class Place:
    """A namespace of one team; `objects` by kind, the most popular first; `secret_of` gives a secret's pseudonym."""

    name: str
    team: str
    objects: dict[str, list[str]]
    secret_of: dict[str, str]


@dataclass(frozen=True, slots=True)
class Post:
    """What a principal is at some time: a member of a team, in its groups, with its places."""

    team: str
    groups: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(slots=True)
class Principal:
    """Somebody or something that calls. `posts` are by the day they begin on; `hours` are its own, of its zone."""

    name: str
    sort: str
    role: str
    posts: dict[int, Post]
    clients: tuple[str, ...]
    office: tuple[str, ...]
    home: str
    zone: str
    hours: tuple[float, float]
    service: str = ""

    @property
    def key(self) -> str:
        """As observations name it."""
        return f"{ISSUER}|{self.name}"

    def post(self, day: int) -> Post | None:
        """What it is on that day; None before it joined."""
        begun = [first for first in self.posts if first <= day]
        return self.posts[max(begun)] if begun else None


@dataclass(slots=True)
class World:
    """All of it. `frames` counts the frames made so far."""

    settings: Settings
    places: list[Place]
    principals: list[Principal]
    frames: int = 0
    by_team: dict[str, list[Place]] = field(default_factory=dict)

    def release(self, team: str, day: int) -> None:
        """New pods for a team, and some of its secrets rotated."""
        chance = chance_of(self.settings.seed, "release", team, day)
        for place in self.by_team[team]:
            for kind in self.settings.turning:
                count = self.settings.kinds[kind]
                place.objects[kind] = list(
                    _objects(place.name, kind, count, f"-{chance.randrange(16**5):05x}")
                )
            for secret in place.secret_of:
                if chance.random() < self.settings.events.rotated:
                    place.secret_of[secret] = _pseudonym("k8s-secret", chance)


def build(settings: Settings) -> World:
    """The world on its first day; the same for the same settings."""
    chance = chance_of(settings.seed, "world")
    places = [_place(settings, team, number, chance) for team, number in _homes(settings)]
    by_team: dict[str, list[Place]] = {team: [] for team in settings.teams}
    for place in places:
        by_team[place.team].append(place)
    world = World(settings, places, [], by_team=by_team)
    world.principals.extend(_people(world))
    world.principals.extend(_machines(world))
    world.principals.extend(_services(world))
    return world


def _homes(settings: Settings) -> Iterator[tuple[str, int]]:
    for name, team in settings.teams.items():
        yield from ((name, number) for number in range(team.namespaces))


def _place(settings: Settings, team: str, number: int, chance: Random) -> Place:
    name = f"{team}-{number}"
    objects = {kind: list(_objects(name, kind, count)) for kind, count in settings.kinds.items()}
    secrets = {secret: _pseudonym("k8s-secret", chance) for secret in objects.get("secrets", [])}
    return Place(name, team, objects, secrets)


def _objects(place: str, kind: str, count: int, mark: str = "") -> Iterator[str]:
    return (f"{place}/{kind}/{kind[:-1]}-{number}{mark}" for number in range(count))


def _pseudonym(kind: str, chance: Random) -> str:
    return f"[masked:{kind}:{chance.randrange(16**6):06x}]"


def _people(world: World) -> Iterator[Principal]:
    """People of all teams; the last of some teams join later, and some change their team."""
    settings = world.settings
    chance = chance_of(settings.seed, "people")
    people = [
        _person(world, team, role, f"{role[:3]}-{team}-{number}", chance)
        for team, facts in settings.teams.items()
        for role, count in facts.people.items()
        for number in range(count)
    ]
    chosen = chance.sample(people, settings.events.joiners + settings.events.movers)
    for number, person in enumerate(chosen):
        day = chance.randrange(4, max(5, settings.days - 3))
        first = person.posts[0]
        if number < settings.events.joiners:
            person.posts = {day: first}
        else:
            team = chance.choice([name for name in settings.teams if name != first.team])
            person.posts[day] = _post(world, team, person.role, chance)
    return iter(people)


def _person(world: World, team: str, role: str, name: str, chance: Random) -> Principal:
    facts = world.settings.teams[team]
    shift = chance.gauss(0, 0.6)
    clients = world.settings.clients["people"]
    return Principal(
        name, "people", role, {0: _post(world, team, role, chance)},
        clients=tuple(chance.sample(clients, min(len(clients), chance.choice((1, 2, 2))))),
        office=_office(world.settings, team),
        home=f"198.{chance.randrange(18, 20)}.{chance.randrange(256)}.{chance.randrange(1, 255)}",
        zone=facts.zone, hours=(facts.begins + shift, facts.ends + shift),
    )  # fmt: skip


def _post(world: World, team: str, role: str, chance: Random) -> Post:
    own = world.by_team[team]
    mine = chance.sample(own, min(len(own), max(2, round(len(own) * 0.6))))
    return Post(team, (f"team-{team}", role), tuple(mine))


def _office(settings: Settings, team: str) -> tuple[str, ...]:
    number = list(settings.teams).index(team)
    return tuple(f"{settings.network}.{number}.{exit_}" for exit_ in range(1, OFFICE_EXITS + 1))


def _machine(world: World, team: str, chance: Random, *, sort: str, role: str, name: str) -> Principal:
    facts: Team = world.settings.teams[team]
    clients = world.settings.clients[sort]
    network = world.settings.network
    pool: Sequence[str] = [
        f"{network}.{200 + list(world.settings.teams).index(team)}.{n}" for n in range(1, 250)
    ]
    office = tuple(pool) if sort == "ci" else tuple(chance.sample(pool, 2))
    return Principal(
        name, sort, role, {0: Post(team, (f"team-{team}", sort), tuple(world.by_team[team]))},
        clients=(chance.choice(clients),), office=office, home="",
        zone=facts.zone, hours=(facts.begins, facts.ends),
    )  # fmt: skip


def _machines(world: World) -> Iterator[Principal]:
    settings = world.settings
    chance = chance_of(settings.seed, "machines")
    for team, facts in settings.teams.items():
        for number in range(facts.agents):
            yield _machine(
                world, team, chance, sort="agents", role=facts.agent_role, name=f"agent-{team}-{number}"
            )
        for number in range(facts.ci):
            yield _machine(world, team, chance, sort="ci", role=settings.ci_role, name=f"ci-{team}-{number}")


def _services(world: World) -> Iterator[Principal]:
    settings = world.settings
    chance = chance_of(settings.seed, "services")
    teams = list(settings.teams)
    for service, facts in settings.services.items():
        for number in range(facts.count):
            team = teams[(number + len(service)) % len(teams)]
            one = _machine(world, team, chance, sort="services", role=service, name=f"svc-{service}-{number}")
            one.service = service
            if facts.reach == "all":
                one.posts = {0: Post(team, (f"team-{team}", "services"), tuple(world.places))}
            yield one
