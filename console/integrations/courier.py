"""The courier of one integration: brings every approval to where people are, and brings what was told up to date.

It compares what was told (the book) with what holds (the desk), so that neither a restart nor a lost change matters.
One approval after the other; what fails waits longer each time, and holds nobody else up unless the vendor itself
asks to be left alone.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from console.integrations.book import BookError
from console.integrations.channel import Channel, wanted
from console.integrations.desk import DeskLike
from console.integrations.means import Means
from console.integrations.settings import Retries
from console.integrations.showing import said
from console.integrations.vendor import DeliveryError
from console.standing import Standing
from gateway.edge.credentials.injector import CredentialError
from schemas.deliveries import ApprovalDelivery
from schemas.findings import FindingRecord, finding_record

GIVE_UP_US = 86_400 * 1_000_000
"""How long it is tried to tell that something has ended."""

LOOK_SECONDS = 15.0
"""How often all is compared, whatever the desk told."""

READY_SECONDS = 0.25

FORGET_US = 61 * 86_400 * 1_000_000
"""How long an entry is kept of which the desk knows nothing (any more)."""

log = structlog.get_logger("integrations")


@dataclass(slots=True)
class _Turn:
    """When something is to be tried, and how often it failed."""

    at: float
    failed: int = 0


class Courier:
    """Runs one channel."""

    def __init__(
        self, channel: Channel, desk: DeskLike, means: Means, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._channel = channel
        self._desk = desk
        self._book = means.book
        self._retries = means.retries
        self._raise_finding = means.raise_finding
        self._metrics = means.metrics
        self._clock = clock
        self._turns: dict[str, _Turn] = {}
        self._made: dict[str, tuple[str, str]] = {}  # (external id, told) that the book does not have yet
        self._wake = asyncio.Event()
        self._alone_until = 0.0
        self._look_at = 0.0
        self._raised = False

    async def run(self) -> None:
        """Until cancelled."""
        async with self._watching():
            while True:
                self._look()
                for approval_id in self._due():
                    await self._turn(approval_id)
                self._metrics.behind.labels(self._channel.name).set(len(self._turns))
                await self._next()

    # -- what is to be done

    def _look(self) -> None:
        """Notes all that differs, every now and then: a change that was not heard of is late, not lost."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + (LOOK_SECONDS if self._desk.ready else READY_SECONDS)
        if not self._desk.ready:
            return
        for standing in self._desk.standings():
            self._note(standing)
        for entry in self._book.entries(self._channel.name):
            if self._desk.standing(entry["approval_id"]) is None:
                self._turns.setdefault(entry["approval_id"], _Turn(now))

    def _note(self, standing: Standing) -> None:
        entry = self._book.entry(standing.approval_id, self._channel.name)
        if entry is None and (not wanted(standing) or self._channel.place(standing) is None):
            return
        if entry is None or entry["told"] != said(standing):
            self._turns.setdefault(standing.approval_id, _Turn(self._clock()))

    def _due(self) -> list[str]:
        now = self._clock()
        if now < self._alone_until:
            return []
        return [approval_id for approval_id, turn in self._turns.items() if turn.at <= now]

    async def _next(self) -> None:
        """Waits for a change, for the first turn, or for the next look."""
        first = min((turn.at for turn in self._turns.values()), default=self._look_at)
        until = min(self._look_at, max(first, self._alone_until))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - self._clock())):
                await self._wake.wait()
        self._wake.clear()

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        async def watch() -> None:
            async for standing in self._desk.subscribe():
                self._note(standing)
                self._wake.set()

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # -- doing it

    async def _turn(self, approval_id: str) -> None:
        turn = self._turns.get(approval_id)
        if turn is None or self._clock() < self._alone_until:
            return
        try:
            outcome = await self._bring(approval_id)
        except (DeliveryError, BookError, CredentialError) as error:
            await self._failed(approval_id, turn, error)
            return
        if outcome:
            self._metrics.told.labels(self._channel.name, outcome).inc()
            log.info("approval_told", integration=self._channel.name, approval=approval_id, outcome=outcome)
        self._turns.pop(approval_id, None)
        self._raised = False
        if standing := self._desk.standing(approval_id):
            self._note(standing)  # it may have changed meanwhile

    async def _bring(self, approval_id: str) -> str:
        """What was done: told, updated, or '' for nothing."""
        standing = self._desk.standing(approval_id)
        entry = self._book.entry(approval_id, self._channel.name)
        if standing is None:
            if entry and entry["at"] < time.time_ns() // 1_000 - FORGET_US:
                await self._book.strike(entry)
            return ""
        if entry is None or not entry["external_id"]:
            return await self._first(standing, entry)
        if entry["told"] == said(standing):
            return ""
        await self._channel.retell(standing, entry["place"], entry["external_id"])
        await self._noted(entry, standing)
        return "updated"

    async def _first(self, standing: Standing, entry: ApprovalDelivery | None) -> str:
        """Tells for the first time, unless an earlier try did."""
        place = entry["place"] if entry else self._channel.place(standing)
        if place is None:
            return ""
        found, told = self._made.get(standing.approval_id, ("", ""))
        if entry and not found:
            found = await self._channel.find(standing, place)
        if not found and not wanted(standing):
            if entry:
                await self._book.strike(entry)  # it ended before anybody heard of it
            return ""
        if entry is None:
            entry = _entry(standing.approval_id, self._channel.name, place)
            await self._book.write(entry)
        if not found:
            told = said(standing)
            found = await self._channel.tell(standing, place)
            self._made[standing.approval_id] = (found, told)
        await self._book.write({**entry, "external_id": found, "told": told, "at": _now()})
        self._made.pop(standing.approval_id, None)
        return "told"

    async def _noted(self, entry: ApprovalDelivery, standing: Standing) -> None:
        if wanted(standing) or standing.state == "approved":
            await self._book.write({**entry, "told": said(standing), "at": _now()})
        else:
            await self._book.strike(entry)

    async def _failed(self, approval_id: str, turn: _Turn, error: Exception) -> None:
        turn.failed += 1
        after = error.after_seconds if isinstance(error, DeliveryError) else None
        pause = after if after is not None else backoff(self._retries, turn.failed)
        turn.at = self._clock() + pause
        if after is not None:
            self._alone_until = turn.at
        self._metrics.told.labels(self._channel.name, "failed").inc()
        log.warning(
            "approval_not_told",
            integration=self._channel.name,
            approval=approval_id,
            tries=turn.failed,
            reason=str(error),
            again_in_seconds=round(pause, 1),
        )
        if await self._given_up(approval_id):
            return
        if turn.failed >= self._retries.tries and not self._raised:
            self._raised = await self._raise_finding(_finding(self._channel.name, approval_id, str(error)))

    async def _given_up(self, approval_id: str) -> bool:
        """Whether nobody needs to hear of it any more: it ended a day ago."""
        standing, entry = self._desk.standing(approval_id), self._book.entry(approval_id, self._channel.name)
        if entry is None or standing is None or standing.settled is None:
            return False
        if standing.open or standing.review_due or standing.settled["at"] > _now() - GIVE_UP_US:
            return False
        log.error("approval_given_up", integration=self._channel.name, approval=approval_id)
        with suppress(BookError):
            await self._book.strike(entry)
            self._turns.pop(approval_id, None)
        return True


def backoff(retries: Retries, failed: int) -> float:
    """Seconds after so many failures: doubled each time, and up to a fifth off, so that many do not come at once."""
    whole = min(retries.longest_seconds, retries.first_seconds * 2.0 ** min(failed - 1, 30))
    return whole * random.uniform(0.8, 1.0)


def _entry(approval_id: str, integration: str, place: str) -> ApprovalDelivery:
    return {
        "approval_id": approval_id,
        "integration": integration,
        "at": _now(),
        "place": place,
        "external_id": "",
        "told": "",
    }


def _finding(integration: str, approval_id: str, reason: str) -> FindingRecord:
    title = f"Approvals cannot be told by {integration}: {reason}"
    name = f"{integration}:{approval_id}"
    return finding_record(
        "approval-not-told",
        "medium",
        title,
        [integration, approval_id],
        raised_at=_now(),
        name=name,
        attributes={"integration": integration},
    )


def _now() -> int:
    return time.time_ns() // 1_000
