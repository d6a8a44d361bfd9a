"""The desk: what every way to decide shares. It shows how approvals stand, and takes decisions to the processor."""

import time
from collections.abc import AsyncIterator, Callable, Collection

from console.acts import Scribe
from console.deciding import COMPONENT, Decider, Verb, Word
from console.delegating import Delegator
from console.delegations import Given, Micros
from console.directory import Directory, Person
from console.errors import DeskError, DeskReason
from console.feed import Feed, Positions
from console.ledger import Ledger
from console.metrics import ConsoleMetrics
from console.settings import DeskKeys, DeskLimits
from console.sight import Acquaintance, Sight
from console.standing import Standing
from schemas.approvals import ApprovalSettled
from schemas.kafka import KafkaAddress
from schemas.signatures import SigningKey

__all__ = ["Desk", "DeskError", "DeskReason", "Verb"]

Barred = Callable[[Person], str]
"""Why somebody may decide nothing at all; '' when nobody barred them."""


def nobody_barred(_: Person) -> str:
    """Everybody may."""
    return ""


def utc_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


class Desk:
    """One a process; `start` before use. Every record is believed by its signature only."""

    def __init__(
        self,
        kafka: KafkaAddress,
        keys: DeskKeys,
        people: Directory,
        *,
        limits: DeskLimits | None = None,
        metrics: ConsoleMetrics | None = None,
        barred: Barred = nobody_barred,
        now: Micros = utc_micros,
    ) -> None:
        self.people = people
        self._barred = barred
        limits = limits or DeskLimits()
        self._metrics = metrics or ConsoleMetrics()
        self._known_people = Acquaintance(people.same)
        self._scribe = Scribe(kafka)
        self._ledger = Ledger(
            kafka, keys, limits=limits, metrics=self._metrics, tell=self._scribe.finding, now=now
        )
        key = SigningKey(keys.signing_seed)
        self._decider = Decider(self._ledger, self._scribe, key, limits)
        self._delegator = Delegator(self._ledger, self._scribe, key, known=self._known_people, limits=limits)

    def start(self) -> None:
        """Begins to read and to reach for Kafka, in the running loop."""
        self._scribe.start()
        self._ledger.start()

    async def stop(self) -> None:
        """Ends every feed; what was read stays."""
        await self._ledger.stop()
        await self._scribe.stop()

    @property
    def scribe(self) -> Scribe:
        """What writes acts of people onto the trail."""
        return self._scribe

    @property
    def ready(self) -> bool:
        """Whether all approvals were read once; it stays so."""
        return self._ledger.ready

    @property
    def fault(self) -> str:
        """What is wrong now; '' when nothing is."""
        return self._ledger.fault or self._scribe.fault

    async def wait_ready(self) -> None:
        """Returns once `ready`."""
        await self._ledger.wait_ready()

    # -- how it stands

    def standings(
        self, *, states: Collection[str] | None = None, reviewer: Person | None = None
    ) -> list[Standing]:
        """The latest first: those in one of `states` (None: all), and which wait for `reviewer` (None: anybody)."""
        sight = self.sight(reviewer) if reviewer else None
        found = [
            standing
            for standing in self._ledger.shelf.all()
            if (states is None or standing.state in states) and (sight is None or sight.waits(standing))
        ]
        return sorted(found, key=lambda each: (each.request["requested_at"], each.approval_id), reverse=True)

    def standing(self, approval_id: str) -> Standing | None:
        """The approval as it stands; None when there is no such approval."""
        return self._ledger.shelf.find(approval_id)

    def sight(
        self, person: Person, *, proven: Person | None = None, auditor: bool = False, revoker: bool = False
    ) -> Sight:
        """What the person may see and decide now; `proven` as in `Sight`."""
        held = tuple(self._ledger.delegations.held_by(person))
        return Sight(person, self._known_people, held, proven=proven, auditor=auditor, revoker=revoker)

    # -- changes

    def subscribe(self) -> AsyncIterator[Standing]:
        """Every change from now on, until the desk stops. Who is slow misses states in between, never the last."""
        return self._changes(self.feed())

    async def _changes(self, feed: Feed) -> AsyncIterator[Standing]:
        try:
            while await feed.news():
                for approval_id in feed.take():
                    if standing := self.standing(approval_id):
                        yield standing
                if feed.closed:
                    return
        finally:
            self.leave(feed)

    def feed(self, since: Positions | None = None) -> Feed:
        """Changes from now on, or from what was read up to `since`. To be given back by `leave`."""
        return self._ledger.feed(since)

    def leave(self, feed: Feed) -> None:
        """Nobody follows it any more."""
        self._ledger.leave(feed)

    def close_feeds(self) -> None:
        """Ends every feed."""
        self._ledger.close_feeds()

    @property
    def positions(self) -> Positions:
        """What was read and told so far."""
        return self._ledger.positions

    # -- decisions

    async def decide(
        self,
        approval_id: str,
        verb: Verb,
        who: Person,
        comment: str = "",
        *,
        component: str = COMPONENT,
        digest: str = "",
        delegation_id: str = "",
    ) -> ApprovalSettled:
        """The processor's answer, which counts it. Recorded as an act of `who` before it is written and after.

        `component`: through what `who` came (slack, jira …), for the record. `digest`: of the call that `who` saw;
        '' takes that of the request. `delegation_id`: instead of whom; by default one is found where it takes one.
        Raises DeskError.
        """
        began = time.perf_counter()
        try:
            standing = self._known(approval_id)
            given = self._instead_of(standing, who, delegation_id)
            self._check(who, *([given.giver_as_person] if given else []))
            answer = await self._decider.decide(
                standing.request, Word(verb, who, comment, component, digest, given)
            )
        except DeskError as error:
            self._metrics.decisions.labels(verb, error.reason).inc()
            raise
        self._metrics.decisions.labels(verb, "done").inc()
        self._metrics.decision_seconds.observe(time.perf_counter() - began)
        return answer

    def _check(self, *people: Person) -> None:
        for person in people:
            if reason := self._barred(person):
                raise DeskError("refused", f"{person.subject} is blocked: {reason}")

    def _known(self, approval_id: str) -> Standing:
        if not self.ready:
            raise DeskError("unavailable", self.fault or "approvals have not been read yet")
        standing = self.standing(approval_id)
        if standing is None:
            raise DeskError("not_found", f"there is no approval {approval_id}")
        return standing

    def _instead_of(self, standing: Standing, who: Person, delegation_id: str) -> Given | None:
        sight = self.sight(who)
        if not delegation_id:
            return sight.instead_of(standing)
        found = next((each for each in sight.held if each.delegation_id == delegation_id), None)
        if found is None:
            raise DeskError("refused", "you hold no such delegation now")
        return found

    # -- delegations

    def delegations(self) -> list[Given]:
        """Every delegation that has not ended; the one that ends first comes first."""
        return self._ledger.delegations.all()

    async def delegate(self, who: Person, to: Person, until_at: int, reason: str = "") -> Given:
        """`to` may decide instead of `who` until then (UTC in microseconds), 90 days at most. Raises DeskError."""
        self._check(who, to)
        return await self._delegator.delegate(who, to, until_at, reason)

    async def take_back(self, delegation_id: str, who: Person, reason: str = "") -> None:
        """The delegation ends now; who gave it and who holds it may do that. Raises DeskError."""
        await self._delegator.take_back(delegation_id, who, reason)
