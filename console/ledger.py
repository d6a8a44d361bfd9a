"""What a desk has read: believed records go to the shelf and the delegations, and changes to whoever follows."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog
from aiokafka.structs import ConsumerRecord

from console.delegations import Delegations, Micros, believed_delegation
from console.feed import Feed, Positions
from console.follower import DECIDED, DELEGATED, REQUESTED, SETTLED, Follower
from console.metrics import ConsoleMetrics
from console.settings import DeskKeys, DeskLimits
from console.shelf import Shelf
from console.standing import believed, believed_request
from schemas.approvals import DECISION_SCHEMA, ApprovalSettled, open_decision
from schemas.codec import CodecError
from schemas.delegations import DelegationAct
from schemas.findings import FindingRecord, finding_record
from schemas.kafka import KafkaAddress
from schemas.signatures import KeyRing, TrustedKey

FORGED = "approval-forged"
TOLD_SECONDS = 10.0  # at most one finding and one line in the log of forged records in this time

Tell = Callable[[FindingRecord], Awaitable[bool]]

log = structlog.get_logger("console")


class Ledger:
    """One a desk; `start` before use."""

    def __init__(
        self,
        kafka: KafkaAddress,
        keys: DeskKeys,
        *,
        limits: DeskLimits,
        metrics: ConsoleMetrics,
        tell: Tell,
        now: Micros,
    ) -> None:
        self.shelf = Shelf(limits)
        self.delegations = Delegations(now)
        self._metrics, self._finding, self._now = metrics, tell, now
        metrics.approvals(lambda: len(self.shelf), lambda: self.shelf.forgotten)
        machine = TrustedKey(keys.machine_public, "machine", frozenset({"settle"}))
        self._ring = KeyRing([*keys.trusted, machine])
        self._feeds: set[Feed] = set()
        self._changed: dict[str, None] = {}
        self._answers: dict[str, asyncio.Future[ApprovalSettled]] = {}
        self._delegated: dict[tuple[str, DelegationAct], asyncio.Event] = {}
        self._told = self._logged = -TOLD_SECONDS
        self._telling: set[asyncio.Future[bool]] = set()
        self._follower = Follower(kafka, limits.back_seconds, self._take, self._publish)

    def start(self) -> None:
        """Begins to read, in the running loop."""
        self._follower.start()

    async def stop(self) -> None:
        """Ends every feed; what was read stays."""
        self.close_feeds()
        await self._follower.stop()
        await asyncio.gather(*self._telling, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Whether everything was read once; it stays so."""
        return self._follower.ready

    @property
    def fault(self) -> str:
        """What is wrong with reading now; '' when nothing is."""
        return self._follower.fault

    async def wait_ready(self) -> None:
        """Returns once `ready`."""
        await self._follower.wait_ready()

    # -- who waits for something

    def answer(self, decision_id: str) -> "asyncio.Future[ApprovalSettled]":
        """What the processor will say to a decision. To be given back by `forget`."""
        return self._answers.setdefault(decision_id, asyncio.get_running_loop().create_future())

    def forget(self, decision_id: str) -> None:
        """Nobody waits for that answer any more."""
        self._answers.pop(decision_id, None)

    @contextmanager
    def awaited(self, delegation_id: str, act: DelegationAct) -> Iterator[Callable[[float], Awaitable[bool]]]:
        """What waits, for so many seconds, until that was read; False when it was not."""
        heard = self._delegated[delegation_id, act] = asyncio.Event()

        async def wait(seconds: float) -> bool:
            try:
                await asyncio.wait_for(heard.wait(), seconds)
            except TimeoutError:
                return False
            return True

        try:
            yield wait
        finally:
            self._delegated.pop((delegation_id, act), None)

    def feed(self, since: Positions | None = None) -> Feed:
        """Changes from now on, or from what was read up to `since`. To be given back by `leave`."""
        feed = Feed(self.shelf.since(since) if since is not None else ())
        self._feeds.add(feed)
        return feed

    def leave(self, feed: Feed) -> None:
        """Nobody follows it any more."""
        self._feeds.discard(feed)

    def close_feeds(self) -> None:
        """Ends every feed."""
        for feed in self._feeds:
            feed.close()

    @property
    def positions(self) -> Positions:
        """What was read and told so far."""
        return {(place.topic, place.partition): offset for place, offset in self._follower.positions.items()}

    # -- what is read

    def _take(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        take = {
            REQUESTED: self._requested,
            SETTLED: self._settled,
            DECIDED: self._decided,
            DELEGATED: self._delegation,
        }[record.topic]
        changed = take(record, record.value or b"")
        if changed is None:
            self._ignored(record)
        elif changed:
            self._changed[changed] = None

    def _ignored(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """Counted each; logged now and then, so that a flood of forged records fills no disk."""
        self._metrics.ignored.labels(record.topic).inc()
        if time.monotonic() - self._logged >= TOLD_SECONDS:
            self._logged = time.monotonic()
            log.warning("record_not_believed", topic=record.topic, offset=record.offset)

    def _requested(self, record: "ConsumerRecord[bytes, bytes]", value: bytes) -> str | None:
        """As all of these: the id of the approval that is another now, '' for none, None for a forged record."""
        request = believed_request(self._ring, record.key, value)
        return self.shelf.requested(request, _place(record)) if request else None

    def _settled(self, record: "ConsumerRecord[bytes, bytes]", value: bytes) -> str | None:
        settled = believed(self._ring, record.key, value)
        if settled is None:
            return None
        changed = self.shelf.settled(settled, _place(record))
        waiting = self._answers.get(settled["decision_id"])
        if waiting is not None and not waiting.done():
            waiting.set_result(settled)
        return changed

    def _decided(self, record: "ConsumerRecord[bytes, bytes]", value: bytes) -> str | None:
        try:
            decision = open_decision(record.key, value)
        except CodecError:
            return None
        if decision["verb"] in ("tick", "use"):
            return ""  # neither is anybody's word
        if self._ring.fault(DECISION_SCHEMA, decision, decision["verb"], decision["who_issuer"]):
            return None
        self.shelf.decided(decision)
        return ""

    def _delegation(self, record: "ConsumerRecord[bytes, bytes]", value: bytes) -> str | None:
        found = believed_delegation(self._ring, record.key, value)
        if found is None:
            self._tell_forged(record)
            return None
        self.delegations.apply(found)
        if heard := self._delegated.get((found["delegation_id"], found["act"])):
            heard.set()
        return ""

    def _tell_forged(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        """Nobody else reads delegations, so nobody else would tell. The same record makes the same finding."""
        if not self.ready or time.monotonic() - self._told < TOLD_SECONDS:
            return
        self._told = time.monotonic()
        title = "A delegation was refused: it is not signed by whom it should be"
        place = f"{record.topic}-{record.partition}-{record.offset}"
        finding = finding_record(FORGED, "critical", title, [place], raised_at=self._now())
        task = asyncio.ensure_future(self._finding(finding))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _publish(self) -> None:
        """After each batch, before anybody else runs: who follows hears of what changed."""
        for approval_id in self._changed:
            for feed in self._feeds:
                feed.put(approval_id)
        self._changed.clear()


def _place(record: "ConsumerRecord[bytes, bytes]") -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
