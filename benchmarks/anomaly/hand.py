"""The hand that calls: makes the observations of one sitting of one principal, from one client at one address."""

from __future__ import annotations

from random import Random

from benchmarks.anomaly.chance import around, heavy_tail, popular
from benchmarks.anomaly.settings import Action
from benchmarks.anomaly.world import Place, Post, World
from processors.anomaly.observation import Observation, Outcome

FOREIGN = 6.0  # times as often denied in another team's namespace
SMALL = 1024


class Hand:
    """One sitting; each connection has its own session in it."""

    __slots__ = (
        "_address",
        "_client",
        "_groups",
        "_key",
        "_sessions",
        "_team",
        "_world",
        "chance",
        "principal",
    )

    def __init__(
        self, world: World, chance: Random, *, principal: str, post: Post, station: tuple[str, str], key: str
    ) -> None:
        """`station` is client and address, `key` names the sitting."""
        self._world = world
        self._groups = post.groups
        self._team = post.team
        self._client, self._address = station
        self._key = key
        self._sessions: dict[str, str] = {}
        self.chance = chance
        self.principal = principal

    def outcome(self, action: Action, place: Place, failing: float) -> Outcome:
        """How such a call ends by chance; `failing` is what an incident adds to failures."""
        denied = action.denied * (FOREIGN if place.team != self._team else 1)
        drawn = self.chance.random()
        if drawn < denied:
            return "denied"
        if drawn < denied + action.failed + failing:
            return "failed" if drawn < denied + action.failed else "error"
        return "ok"

    def call(
        self, at: float, action: Action, place: Place, target: str = "", outcome: Outcome = "ok", *,
        held: bool = False, prompt: bool = False, changed: bool = False, carried: tuple[str, ...] = (),
        times: float = 1.0,
    ) -> Observation:  # fmt: skip
        """One call at `at` (seconds since 1970). `carried`: pseudonyms in it besides those of its answer;
        `times`: how many times the usual bytes."""
        world, chance = self._world, self.chance
        if not target:
            kinds = place.objects[action.kind]
            target = f"{place.name}/{action.kind}" if action.lists else popular(
                kinds, world.settings.popularity, chance
            )  # fmt: skip
        size, marks, people = SMALL // 4, carried, 0
        if outcome == "ok":
            size = int(SMALL * action.kb * heavy_tail(action.sigma).draw(chance) * times)
            marks = carried + self._masked(action, place, target)
            people = around(action.redactions, chance) if action.redactions else 0
        world.frames += 1
        session = self._sessions.get(action.connection)
        if session is None:
            session = self._sessions[action.connection] = f"{self._key}/{action.connection}"
        return Observation(
            at=int(at * 1e6),
            principal=self.principal,
            groups=self._groups,
            client=self._client,
            address=self._address,
            connection=action.connection,
            session_id=session,
            tool=action.tool,
            method=action.method,
            verb=action.verb,
            object=target,
            namespace=place.name,
            sensitive=action.sensitive,
            outcome=outcome,
            request_bytes=200 + int(300 * chance.random()),
            response_bytes=size,
            redactions=len(marks) + people,
            pseudonyms=marks,
            minted=action.minted and outcome == "ok",
            prompt=prompt,
            tool_changed=changed,
            approval_asked=held,
            frame_id=f"f{world.frames:07x}",
        )

    def _masked(self, action: Action, place: Place, target: str) -> tuple[str, ...]:
        """Pseudonyms of secrets in an answer: of the one that was read, and now and then of one in a log."""
        marks: tuple[str, ...] = ()
        secret = place.secret_of.get(target)
        if secret is not None and action.sensitive:
            marks = (secret,)
        if action.leaks and self.chance.random() < action.leaks:
            leaked = popular(place.objects["secrets"], self._world.settings.popularity, self.chance)
            marks += (place.secret_of[leaked],)
        return marks
