"""What ticket systems have in common: a ticket is looked at by a poll (or when its vendor says so), and what is found
in it is a word of the person who changed it. What a callback says is never believed: it only makes us look.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from console.integrations.courier import backoff
from console.integrations.deciding import Decisions, Reply, Word
from console.integrations.desk import DeskLike
from console.integrations.means import Means
from console.integrations.vendor import DeliveryError
from console.standing import Standing
from gateway.edge.credentials.injector import CredentialError
from schemas.deliveries import ApprovalDelivery
from schemas.findings import finding_record

NOT_WHOLE = Reply(
    "refused",
    "It does not count: the arguments are longer than this ticket shows; approve it in the console.",
)
ALTERED = Reply(
    "refused",
    "It does not count: somebody changed what this ticket says was asked; decide in the console.",
)
NOBODY = Reply(
    "refused",
    "It does not count: it cannot be told who decided, because more was changed since. Undo it, and decide again.",
)

log = structlog.get_logger("integrations")


@dataclass(frozen=True, slots=True)
class Found:
    """A change in a ticket that decides. `name` tells it from every other change of the ticket."""

    name: str
    verb: str
    person: str
    comment: str = ""
    altered: bool = False


@dataclass(slots=True)
class _Answered:
    """The change that was taken last, and what is still to be said of it."""

    name: str
    untold: Reply | None


class Tickets:
    """Open tickets of one integration, and the words found in them. `whole`: whether a ticket shows all of a call."""

    def __init__(
        self, integration: str, desk: DeskLike, means: Means, whole: Callable[[Standing], bool]
    ) -> None:
        self._integration = integration
        self._desk = desk
        self._book = means.book
        self._whole = whole
        self._decisions = Decisions(desk, integration, means.metrics)
        self._answered: dict[str, _Answered] = {}

    def open(self) -> list[ApprovalDelivery]:
        """Tickets whose approval waits for somebody."""
        entries = self._book.entries(self._integration)
        found = [entry for entry in entries if entry["external_id"] and self.waiting(entry)]
        ids = {entry["approval_id"] for entry in found}
        self._answered = {each: answer for each, answer in self._answered.items() if each in ids}
        return found

    async def take(self, entry: ApprovalDelivery, found: Found) -> Reply | None:
        """What is to be told under the ticket (then `told`); None when there is nothing, or it was told."""
        standing = self.waiting(entry)
        if standing is None:
            return None
        answered = self._answered.get(standing.approval_id)
        if answered is None or answered.name != found.name:
            reply = await self._reply(standing, found)
            if reply.outcome == "unavailable":
                return None  # the next look takes it again
            answered = _Answered(found.name, None if reply.outcome == "counted" else reply)
            self._answered[standing.approval_id] = answered
        return answered.untold

    def told(self, entry: ApprovalDelivery) -> None:
        """It stands under the ticket."""
        if answered := self._answered.get(entry["approval_id"]):
            answered.untold = None

    async def _reply(self, standing: Standing, found: Found) -> Reply:
        if found.verb == "approve" and found.altered:
            return ALTERED
        if found.verb == "approve" and not self._whole(standing):
            return NOT_WHOLE
        if not found.person:
            return NOBODY
        person = self._desk.people.person_of(self._integration, found.person)
        if person and standing.settled and person.name in standing.settled["approvers"]:
            return Reply("counted", "")  # found again after a restart
        word = Word(standing.approval_id, found.verb, self._integration, found.person, found.comment)
        return await self._decisions.take(word)

    def waiting(self, entry: ApprovalDelivery) -> Standing | None:
        """The approval, while somebody has to decide."""
        standing = self._desk.standing(entry["approval_id"])
        return standing if standing and standing.state == "pending" else None


class Watch:
    """Looks now and then, and at once when it is nudged. A look that fails is repeated later and later."""

    def __init__(
        self,
        integration: str,
        look: Callable[[], Awaitable[None]],
        seconds: float,
        means: Means,
    ) -> None:
        self._integration = integration
        self._look = look
        self._seconds = seconds
        self._retries = means.retries
        self._raise_finding = means.raise_finding
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something may have changed."""
        self._nudged.set()

    async def run(self) -> None:
        """Until cancelled."""
        failed = 0
        while True:
            self._nudged.clear()
            try:
                await self._look()
            except (DeliveryError, CredentialError) as error:
                failed += 1
                await self._wait(await self._failed(failed, error), nudges=False)
            else:
                failed = 0
                await self._wait(self._seconds, nudges=True)

    async def _wait(self, seconds: float, *, nudges: bool) -> None:
        never = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await (self._nudged if nudges else never).wait()

    async def _failed(self, failed: int, error: Exception) -> float:
        """Seconds until the next look."""
        after = error.after_seconds if isinstance(error, DeliveryError) else None
        pause = after if after is not None else backoff(self._retries, failed)
        log.warning("tickets_not_read", integration=self._integration, tries=failed, reason=str(error))
        if failed == self._retries.tries:
            now = time.time_ns() // 1_000
            title = f"Decisions in tickets cannot be read from {self._integration}: {error}"
            await self._raise_finding(
                finding_record(
                    "tickets-not-read", "medium", title, [self._integration, str(now)], raised_at=now
                )
            )
        return pause
