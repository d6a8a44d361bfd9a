"""The approvals processor: a thin Faust agent over `books`, and the watch that writes ticks when something is due."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

import structlog

from processors.approvals.agenda import Agenda
from processors.approvals.books import Books, Office, Place
from processors.approvals.entry import Row
from processors.approvals.metrics import ApprovalMetrics
from processors.masking import broker_settings
from processors.outlet import Outlet
from processors.records import Incoming, Outgoing
from processors.strict import StrictApp, StrictTable, strict_settings
from processors.strict.lean import QuietMonitor, RawTopic
from schemas.approvals import NOBODY, decision_value, signed_decision
from schemas.kafka import KafkaAddress
from schemas.signatures import SigningKey

log = structlog.get_logger(__name__)

GROUP = "sluicegate-approvals"
REQUESTED, DECIDED = "approvals.requested", "approvals.decided"
TABLE = "entries"
GATHER_SECONDS = 0.005  # somebody waits for the answer
WATCH_SECONDS = 0.2
TICK_SECONDS = 1.0
_NAMESPACE = UUID("c0a2c1de-0b38-5b0f-9d0f-8a4f5a9d7b11")

Clock = Callable[[], int]
"""UTC in microseconds."""


def utc_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


class ApprovalsProcessor:
    """The application of one worker. `app` runs the agent; `watch` has to run beside it."""

    def __init__(
        self,
        kafka: KafkaAddress,
        outlet: Outlet,
        office: Office,
        *,
        datadir: str,
        batch_records_max: int = 200,
        now: Clock = utc_micros,
    ) -> None:
        self.metrics = ApprovalMetrics(now)
        self._outlet = outlet
        self._office = office
        self._now = now
        self._batch = batch_records_max
        self._agenda = Agenda()
        self._generation: object = None
        self._ticked: dict[int, int] = {}
        self.app = StrictApp(
            GROUP,
            topic_partitions=office.partitions,
            topic_replication_factor=kafka.replication_min,
            store="memory://",
            **strict_settings(**broker_settings(kafka), datadir=datadir, Monitor=QuietMonitor),
        )
        self._table: StrictTable = self.app.Table(
            TABLE,
            default=dict,
            partitions=office.partitions,
            key_type=bytes,
            extra_topic_configs={"min.insync.replicas": str(kafka.in_sync_min)},
        )
        self.app.agent(RawTopic(self.app, topics=(REQUESTED, DECIDED)), name="settle")(self._settle)
        self.app.on_partitions_assigned.connect(self._tell)

    async def _settle(self, stream: Any) -> None:
        async for events in stream.noack_take(self._batch, within=GATHER_SECONDS):
            owned = [event for event in events if self.app.owns(event)]
            if owned:
                await self._process(owned)
            for event in owned:
                event.ack()

    async def _process(self, events: list[Any]) -> None:
        """Outputs first, then the rows; who calls acknowledges after both are durable."""
        began = time.perf_counter()
        self._refresh()
        sources = {event.message.partition: event for event in events}
        books = Books(self._office, self._agenda, lambda place: self._row(sources, place))
        outgoing: list[Outgoing] = []
        for event in sorted(events, key=lambda event: str(event.message.topic) != REQUESTED):
            outgoing += books.apply(_incoming(event))
        await self._outlet.send(outgoing)
        for (partition, key), row in books.rows.items():
            table = self._table.at(sources[partition])
            if row is None:
                table.pop(key, None)
            else:
                table[key] = row
        await self._table.durable()
        self.metrics.add(books.tally, books.rows, time.perf_counter() - began)

    def _row(self, sources: dict[int, Any], place: Place) -> Row | None:
        row: Row | None = self._table.at(sources[place[0]]).get(place[1])
        return row

    # -- time

    async def watch(self, stop: asyncio.Event) -> None:
        """Write a tick behind the decisions of a partition whenever something falls due there, until `stop`.

        Raises KafkaError when one cannot be written: the worker has to start again then.
        """
        while not stop.is_set():
            await self._outlet.send(self._ticks())
            try:
                await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
            except TimeoutError:
                continue

    def _ticks(self) -> list[Outgoing]:
        if not self.app.flowing:
            return []
        self._refresh()
        now = self._now()
        late = [
            partition
            for partition in self._agenda.waiting(now)
            if now - self._ticked.get(partition, 0) >= TICK_SECONDS * 1_000_000
        ]
        self._ticked.update(dict.fromkeys(late, now))
        return [tick(self._office.key, partition, now) for partition in late]

    def _refresh(self) -> None:
        """The agenda is made anew for each assignment, from the table that was recovered for it."""
        generation = self.app.consumer_generation_id
        if generation == self._generation or not self.app.flowing:
            return
        self._generation = generation
        own = {place.partition for place in self.app.consumer.assignment() if place.topic == DECIDED}
        rows = [row for _, row in self._table.items() if row]
        self._agenda = Agenda.of(rows)
        self._agenda.drop(own)
        self.metrics.pending.note(rows)
        self.metrics.pending.keep(own)

    async def _tell(self, _app: StrictApp, assigned: set[Any], **_: Any) -> None:
        numbers = sorted(place.partition for place in assigned if place.topic == DECIDED)
        log.info("partitions_assigned", generation=self.app.consumer_generation_id, partitions=numbers)


def tick(key: SigningKey, partition: int, at: int) -> Outgoing:
    """The record that it is `at` (UTC in microseconds) in that partition."""
    fields = {
        "decision_id": str(uuid5(_NAMESPACE, f"{partition}:{at}")),
        "approval_id": NOBODY,
        "at": at,
        "verb": "tick",
        "who_issuer": "",
        "who_subject": "",
        "who_groups": [],
        "who_aliases": [],
        "component": "machine",
        "comment": "",
        "argument_digest": "",
        "policy_version": "",
        "use_id": "",
        "delegation": None,
    }
    return Outgoing(DECIDED, partition, NOBODY.encode(), decision_value(signed_decision(fields, key)))


def _incoming(event: Any) -> Incoming:
    message = event.message
    return Incoming(message.topic, message.partition, message.offset, message.key, message.value)
