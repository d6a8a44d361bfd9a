"""What each pattern of misuse does: its acts in order, without saying when, by whom and from where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.anomaly.chance import Weighted, popular
from benchmarks.anomaly.settings import Action
from benchmarks.anomaly.world import Place, Post, Principal, World
from processors.anomaly.observation import Outcome

STOLEN_SECRETS = 0.2  # of what a thief calls, the rest is what the owner would call


@dataclass(frozen=True, slots=True)
class Act:
    """One call of misuse. `carries`: the secret whose pseudonym stands in the call."""

    action: Action
    place: Place
    target: str = ""
    outcome: Outcome = "ok"
    held: bool = False
    prompt: bool = False
    changed: bool = False
    carries: str = ""
    times: float = 1.0


@dataclass(frozen=True, slots=True)
class Plot:
    """What an episode is made with. `other`: take other verbs and tools than the plain ones, where there are."""

    world: World
    who: Principal
    post: Post
    count: int
    times: float
    other: bool
    chance: Random

    def action(self, mean: str) -> Action:
        """One of the actions that serve for this."""
        settings = self.world.settings
        names = settings.means.get(f"{mean}-other", ()) if self.other else ()
        return settings.actions[self.chance.choice(names or settings.means[mean])]

    def place(self, *, own: float = 0.5) -> Place:
        """A place of its own, or of others."""
        return self.chance.choice(self.post.places if self.chance.random() < own else self.world.places)

    def foreign(self) -> Place:
        """A place of another team, where there is one."""
        others = [place for place in self.world.places if place.team != self.post.team]
        return self.chance.choice(others or self.world.places)

    def secret(self, place: Place) -> str:
        """One of its secrets."""
        return self.chance.choice(place.objects["secrets"])


def secret_reads(plot: Plot) -> Iterator[Act]:
    """The secrets of one or two places, again and again."""
    places = [plot.place() for _ in range(plot.chance.choice((1, 1, 2)))]
    for number in range(plot.count):
        place = places[number % len(places)]
        yield Act(plot.action("secret"), place, plot.secret(place))


def scan(plot: Plot) -> Iterator[Act]:
    """One namespace after the other."""
    places = plot.chance.sample(plot.world.places, len(plot.world.places))
    action = plot.action("scan")
    for number in range(plot.count):
        yield Act(plot.action("scan") if plot.other else action, places[number % len(places)])


def tokens(plot: Plot) -> Iterator[Act]:
    """Tokens for accounts of one place."""
    place, action = plot.place(own=0.8), plot.action("mint")
    for _ in range(plot.count):
        yield Act(action, place)


def extraction(plot: Plot) -> Iterator[Act]:
    """Arguments that ask a tool for credentials."""
    for _ in range(plot.count):
        yield Act(plot.action("ask"), plot.place(own=0.9), prompt=True)


def around(plot: Plot) -> Iterator[Act]:
    """Denied; then the same object by another tool, which lets it through."""
    for _ in range(plot.count):
        place = plot.foreign()
        target = plot.secret(place)
        yield Act(plot.action("secret"), place, target, "denied")
        yield Act(plot.action("around"), place, target)


def stolen(plot: Plot) -> Iterator[Act]:
    """What the owner would do, and more secrets."""
    settings = plot.world.settings
    mix = Weighted(
        (settings.actions[name], weight) for name, weight in settings.roles[plot.who.role].mix.items()
    )
    for _ in range(plot.count):
        place = popular(plot.post.places, 0.7, plot.chance)
        wants = plot.chance.random() < STOLEN_SECRETS
        yield Act(plot.action("secret") if wants else mix.draw(plot.chance), place)


def volume(plot: Plot) -> Iterator[Act]:
    """Big answers, one after the other."""
    for _ in range(plot.count):
        yield Act(plot.action("bulk"), plot.place(own=0.7), times=plot.times)


def approvals(plot: Plot) -> Iterator[Act]:
    """Approvals asked for, and asked for again, so that one gets through."""
    for _ in range(plot.count):
        yield Act(plot.action("risky"), plot.place(own=0.8), outcome="held", held=True)


def travel(plot: Plot) -> Iterator[Act]:
    """A secret is read, and its pseudonym turns up where it does not belong."""
    place = plot.place(own=0.7)
    for _ in range(plot.count):
        secret = plot.secret(place)
        yield Act(plot.action("secret"), place, secret)
        yield Act(plot.action("outside"), plot.place(own=0.9), carries=secret)


def changed(plot: Plot) -> Iterator[Act]:
    """A tool is used whose definition is another one than was accepted."""
    action = plot.action("ask")
    for _ in range(plot.count):
        yield Act(action, plot.place(own=0.9), changed=True)


MAKES: dict[str, Callable[[Plot], Iterator[Act]]] = {
    "repeated-secret-reads": secret_reads,
    "cluster-wide-scan": scan,
    "token-surge": tokens,
    "credential-extraction": extraction,
    "denied-then-around": around,
    "stolen-credential": stolen,
    "exfiltration-by-volume": volume,
    "approval-burst": approvals,
    "pseudonym-travel": travel,
    "changed-tool": changed,
}
