"""Forgetting, round by round: read what holds, finish what a crash left, sign and store tombstones, let rows go.

    acts → book → open tombstones → erasures → rows → bodies
                                       └─ for each: runs → tombstones (Kafka has them) → stored → carried out

A row goes only by a tombstone that is stored, and a tombstone is believed only with the store's own signature: what
somebody else puts on the topic, or into the table, takes nothing away.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaProducer

from schemas.clients import start_client
from schemas.kafka import KafkaAddress
from schemas.retention import act_value
from schemas.retention_book import Book, InForce, Proposal
from schemas.retention_content import Erasure, Hold
from schemas.retention_topic import read_book
from schemas.signatures import KeyRing, SigningKey
from schemas.tombstones import Tombstone, What, retention_key, tombstone_fault, tombstone_key, tombstone_value
from sinks.clickhouse import StoreThread
from sinks.retention.carrying_out import carry_out, groups
from sinks.retention.due import Ground, bodies_due, rows_due
from sinks.retention.erasing import callers_of, erase_beside, erasure_due
from sinks.retention.settings import RetentionSettings
from sinks.retention.signing import file_act, tombstones_of
from sinks.retention.store import Frames, Run
from sinks.settings import SinkTopics

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.1

Result = TypeVar("Result")
Micros = Callable[[], int]


@dataclass(slots=True)
class Report:
    """What a round did: rows that tombstones let go, emptied or rewrote; of these, what a hold that came later kept;
    tombstones that nobody believes, and such as wait until they are stored; where the file alone shortens."""

    rows: int = 0
    bodies: int = 0
    erased: int = 0
    kept_by_hold: int = 0
    not_believed: int = 0
    waiting: int = 0
    shortened_in_file: list[str] = field(default_factory=list)

    def count(self, tombstones: Sequence[Tombstone], kept: int) -> None:
        """They were carried out, but for `kept` rows."""
        for each in tombstones:
            if each["why"] == "erased":
                self.erased += each["count"]
            elif each["what"] == "row":
                self.rows += each["count"]
            else:
                self.bodies += each["count"]
        self.kept_by_hold += kept


class Forgetter:
    """The rounds of one store process."""

    def __init__(
        self,
        settings: RetentionSettings,
        kafka: KafkaAddress,
        store: StoreThread,
        *,
        database: str,
        topics: SinkTopics,
        now: Micros = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._settings, self._kafka, self._store = settings, kafka, store
        self._database, self._topics, self._now = database, topics, now
        self._key = SigningKey(settings.signing_seed)
        self._ring = KeyRing([retention_key(self._key.public)])

    async def round(self) -> Report:
        """One round. Raises StoreAwayError, KafkaError, TimeoutError; what it did until then holds."""
        report = Report()
        producer = AIOKafkaProducer(**self._kafka.client_options(), acks="all", enable_idempotence=True)
        await start_client(producer)
        try:
            await _Round(self, producer, report).run()
        finally:
            await producer.stop()
        log.info("retention_round", **{name: getattr(report, name) for name in Report.__slots__})
        return report

    @property
    def settings(self) -> RetentionSettings:
        """As given."""
        return self._settings

    @property
    def key(self) -> SigningKey:
        """The store's own key."""
        return self._key

    @property
    def topics(self) -> SinkTopics:
        """The topics."""
        return self._topics

    def now(self) -> int:
        """UTC in microseconds."""
        return self._now()

    def believed(self, tombstones: Sequence[Tombstone], report: Report) -> list[Tombstone]:
        """Those that we signed."""
        found = []
        for each in tombstones:
            if fault := tombstone_fault(self._ring, each):
                report.not_believed += 1
                log.error("tombstone_not_believed", tombstone_id=each["tombstone_id"], cause=fault)
            else:
                found.append(each)
        return found

    async def book(self) -> Book:
        """What holds now."""
        settings = self._settings
        return await read_book(
            self._kafka,
            settings.trusted,
            settings.people,
            alone=settings.single_person,
            topic=self._topics.retention,
        )

    async def with_frames(self, work: Callable[[Frames], Result]) -> Result:
        """What `work` gives for the store's tables, in the thread of their client."""
        return await self._store.call(lambda client: work(Frames(client, self._database)))


class _Round:
    """One round: what holds is read once, at its beginning."""

    def __init__(self, forgetter: Forgetter, producer: AIOKafkaProducer, report: Report) -> None:
        self._by, self._producer, self._report = forgetter, producer, report
        self._now = forgetter.now()

    async def run(self) -> None:
        if await self._by.with_frames(Frames.busy):
            log.info("retention_waits", cause="the table is still being changed")
            return
        book = await self._book()
        holds = tuple(hold for _, hold in book.holds(self._now))
        await self._finish(holds)
        assert book.in_force is not None
        for proposal, erasure in book.erasures(self._now):
            await self._erase(proposal, erasure, book.in_force, holds)
        ground = Ground(book.in_force.rules, holds, self._now)
        await self._expire(lambda frames: rows_due(ground, frames.table), "row", book.in_force, holds)
        await self._expire(lambda frames: bodies_due(ground, frames.table), "body", book.in_force, holds)

    async def _book(self) -> Book:
        """What holds, with what the file adds to it."""
        book = await self._by.book()
        settings = self._by.settings
        act = file_act(book, settings.rules, self._now, self._by.key)
        if act is not None:
            topic, key = self._by.topics.retention, act["proposal_id"].encode()
            await self._producer.send_and_wait(topic, act_value(act), key=key)
            book = await self._by.book()
        assert book.in_force is not None
        self._report.shortened_in_file = book.in_force.rules.shortened_by(settings.rules)
        if self._report.shortened_in_file:
            log.warning("file_keeps_shorter_than_rules_in_force", where=self._report.shortened_in_file)
        return book

    async def _finish(self, holds: tuple[Hold, ...]) -> None:
        """Carries out what is stored and was not: a crash came between, or a hold that is over."""
        stored = await self._by.with_frames(Frames.open_tombstones)
        for some in groups(self._by.believed(stored, self._report)):
            await self._carry_out(some, holds)

    async def _expire(
        self, due: Callable[[Frames], str], what: What, in_force: InForce, holds: tuple[Hold, ...]
    ) -> None:
        async def runs() -> list[Run]:
            return await self._by.with_frames(lambda frames: frames.runs(due(frames)))

        while found := await runs():
            some = tombstones_of(found, what, self._now, self._by.key, in_force=in_force)
            if not await self._forget(some, holds):
                return

    async def _erase(
        self, proposal: Proposal, erasure: Erasure, in_force: InForce, holds: tuple[Hold, ...]
    ) -> None:
        assert proposal.confirmed is not None
        until, key = proposal.confirmed["at"], self._by.settings.erasure_key
        callers = await self._by.with_frames(lambda frames: callers_of(frames, key, erasure))
        if not callers:
            return
        await self._by.with_frames(lambda frames: erase_beside(frames, erasure, callers, (until, key), holds))

        async def runs() -> list[Run]:
            return await self._by.with_frames(
                lambda frames: frames.runs(erasure_due(frames, erasure, callers, until, holds))
            )

        while found := await runs():
            some = tombstones_of(found, "row", self._now, self._by.key, in_force=in_force, erasure=proposal)
            if not await self._forget(some, holds):
                return

    async def _forget(self, tombstones: Sequence[Tombstone], holds: tuple[Hold, ...]) -> bool:
        """Writes tombstones, and carries out those that are stored; whether all were carried out."""
        for some in groups(tombstones):
            await self._write(some)
            if not await self._are_stored(some):
                self._report.waiting += len(some)
                return False  # the next round finishes them
            if not await self._carry_out(some, holds):
                return False
        return True

    async def _write(self, tombstones: Sequence[Tombstone]) -> None:
        """Returns once Kafka has every one."""
        topic = self._by.topics.tombstones
        sent = [
            await self._producer.send(
                topic, tombstone_value(each), key=tombstone_key(each["partition"]).encode()
            )
            for each in tombstones
        ]
        await asyncio.gather(*sent)

    async def _are_stored(self, tombstones: Sequence[Tombstone]) -> bool:
        """Whether the sink has stored every one, in time."""
        ids = {each["tombstone_id"] for each in tombstones}
        until = time.monotonic() + self._by.settings.stored_seconds
        while await self._by.with_frames(lambda frames: frames.stored(ids)) != ids:
            if time.monotonic() > until:
                log.warning("tombstones_not_stored_yet", tombstones=len(ids))
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _carry_out(self, tombstones: Sequence[Tombstone], holds: tuple[Hold, ...]) -> bool:
        """Lets go what they name; whether nothing of it was kept by a hold that came later."""
        key = self._by.settings.erasure_key
        kept = await self._by.with_frames(lambda frames: carry_out(frames, tombstones, holds, key))
        self._report.count(tombstones, kept)
        if kept:
            log.warning("hold_came_after_tombstones", rows_kept=kept)
        return not kept
