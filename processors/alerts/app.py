"""The alerts processor: a thin Faust agent over `board` and `responses`, with the postman beside it."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from processors.alerts.board import HOUR, Board
from processors.alerts.metrics import AlertMetrics
from processors.alerts.postman import ATTEMPTS, Postman
from processors.alerts.responses import Answer, answer
from processors.alerts.rows import ANSWERS, Row
from processors.alerts.settings import AlertSettings
from processors.masking import broker_settings
from processors.masking_step import Rejected
from processors.outlet import Outlet
from processors.records import Incoming, Outgoing
from processors.rejected import dead_letter
from processors.strict import StrictApp, StrictTable, strict_settings
from processors.strict.lean import QuietMonitor, RawTopic
from schemas.admin import AdminRecord, admin_value
from schemas.alerts import open_attempt
from schemas.codec import CodecError
from schemas.control import control_value, open_control
from schemas.findings import FindingRecord, finding_value, open_finding
from schemas.kafka import KafkaAddress

log = structlog.get_logger(__name__)

GROUP = "sluicegate-alerts"
COMPONENT = "processors.alerts"
FINDINGS, CONTROL, ADMIN = "findings", "control", "admin"
TABLE = "board"
GATHER_SECONDS = 0.02
PRUNE_SECONDS = 60
ASK_SECONDS = 5.0
SILENCE_PREFIX = b"silence:"
_ORDER = {CONTROL: 0, ATTEMPTS: 1, FINDINGS: 2}


def utc_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


class AlertsProcessor:
    """The application of one worker. `app` runs the agent; `postman.watch` has to run beside it."""

    def __init__(
        self,
        settings: AlertSettings,
        kafka: KafkaAddress,
        outlet: Outlet,
        metrics: AlertMetrics,
        letter_bytes_max: int,
        *,
        now: Callable[[], int] = utc_micros,
    ) -> None:
        self._settings = settings
        self._outlet = outlet
        self._metrics = metrics
        self._letter_bytes_max = letter_bytes_max
        self._now = now
        self._board: Board | None = None
        self._generation: object = None
        self._caught_up: object = None
        self._pruned = 0
        self.postman = Postman(settings, outlet, self._current, metrics, now)
        self.app = StrictApp(
            GROUP,
            topic_partitions=1,
            topic_replication_factor=kafka.replication_min,
            store="memory://",
            **strict_settings(**broker_settings(kafka), datadir=str(settings.datadir), Monitor=QuietMonitor),
        )
        self._table: StrictTable = self.app.Table(
            TABLE,
            default=dict,
            partitions=1,
            key_type=str,
            extra_topic_configs={"min.insync.replicas": str(kafka.in_sync_min)},
        )
        topics = RawTopic(self.app, topics=(FINDINGS, CONTROL, ATTEMPTS))
        self.app.agent(topics, name="alert")(self._alert)

    async def _alert(self, stream: Any) -> None:
        async for events in stream.noack_take(self._settings.batch_records_max, within=GATHER_SECONDS):
            owned = [event for event in events if self.app.owns(event)]
            if owned:
                await self._process(owned)
            for event in owned:
                event.ack()

    async def _process(self, events: list[Any]) -> None:
        """Records out first, then the rows; who calls acknowledges after both are durable."""
        board = self._refreshed()
        for event in sorted(events, key=lambda event: _ORDER[str(event.message.topic)]):
            record = _incoming(event)
            try:
                await self._apply(board, record)
            except CodecError as exc:
                rejected = Rejected("undecodable", str(exc))
                letter = dead_letter(record, rejected, self._letter_bytes_max, COMPONENT)
                await self._outlet.send([letter])
        if self._now() - self._pruned > PRUNE_SECONDS * 1_000_000:
            board.prune(self._now())
            self._pruned = self._now()
        await self._write(board, events[0])
        self._metrics.observe(board)

    async def _write(self, board: Board, event: Any) -> None:
        table = self._table.at(event)
        for key, row in board.changed().items():
            if row is not None:
                table[key] = row
            elif key in table:  # one that came and went within the batch never was
                table.pop(key, None)
        await self._table.durable()

    async def _apply(self, board: Board, record: Incoming) -> None:
        match record.topic:
            case "control":
                self._control(board, record)
            case "findings":
                await self._finding(board, open_finding(record.value))
            case _:
                attempt = open_attempt(record.value)
                await self._raise(board.attempted(attempt))
                self.postman.applied(attempt)

    def _control(self, board: Board, record: Incoming) -> None:
        key = record.key or b""
        if key.startswith(SILENCE_PREFIX):
            told = open_control(key, record.value) if record.value else None
            board.silence(key.decode("utf-8", "replace"), told)

    async def _finding(self, board: Board, finding: FindingRecord) -> None:
        if board.is_news(finding):
            await self._respond(board, finding)
        outcome = board.take(finding, self._now())
        self._metrics.findings.labels(outcome).inc()
        if outcome == "silenced":
            log.info("finding_silenced", rule=finding["rule"], finding_id=finding["finding_id"])

    # -- responses

    async def _respond(self, board: Board, finding: FindingRecord) -> None:
        now, row = self._now(), board.rows.get(ANSWERS) or {"kind": ANSWERS, "made": []}
        before = [(str(kind), int(at)) for kind, at in row["made"] if now - at < HOUR]
        made = answer(finding, self._settings.responses, before, now)
        if made.outcome == "none":
            return
        self._metrics.responses.labels(made.act, made.outcome).inc()
        log.info("response", rule=finding["rule"], act=made.act, outcome=made.outcome)
        await self._carry_out(made)
        if made.counts:
            board.put(ANSWERS, {"kind": ANSWERS, "made": [*before, (made.counts, now)]})

    async def _carry_out(self, made: Answer) -> None:
        """Each record is acknowledged before the next: nothing is done that the trail does not know."""
        if made.asked is not None and made.control is not None and made.done is not None:
            await self._outlet.send([_admin(made.asked)])
            key = made.control["target"].encode()
            await self._outlet.send([Outgoing(CONTROL, 0, key, control_value(made.control))])
            await self._outlet.send([_admin(made.done)])
        if made.held_back is not None:
            await self._raise([made.held_back])

    async def _raise(self, findings: Iterable[FindingRecord]) -> None:
        await self._outlet.send(
            [Outgoing(FINDINGS, 0, finding["rule"].encode(), finding_value(finding)) for finding in findings]
        )

    # -- the board of this assignment

    async def _current(self) -> Board | None:
        """The board, once every attempt that was written down is on it: else one that went well would be repeated."""
        if not self.app.flowing:
            return None
        generation = self.app.consumer_generation_id
        if self._caught_up != generation and not await self._has_caught_up():
            return None
        self._caught_up = generation
        return self._refreshed() if generation == self.app.consumer_generation_id else None

    async def _has_caught_up(self) -> bool:
        consumer = self.app.consumer
        place = next((tp for tp in consumer.assignment() if tp.topic == ATTEMPTS), None)
        if place is None:
            return False
        try:
            async with asyncio.timeout(ASK_SECONDS):
                ends = await consumer.highwaters(place)
        except (KafkaError, TimeoutError):
            return False
        head = consumer.progress.head(place)
        return place in ends and head is not None and head >= ends[place]

    def _refreshed(self) -> Board:
        generation = self.app.consumer_generation_id
        if self._board is None or generation != self._generation:
            rows: dict[str, Row] = {key: row for key, row in self._table.items() if row}
            self._board = Board(self._settings, rows)
            self._generation = generation
            moved = self._board.rehome(self._now())
            log.info("board_read", generation=generation, rows=len(rows), moved=moved)
        return self._board


def _admin(record: AdminRecord) -> Outgoing:
    return Outgoing(ADMIN, 0, record["actor_subject"].encode(), admin_value(record))


def _incoming(event: Any) -> Incoming:
    message = event.message
    return Incoming(str(message.topic), message.partition, message.offset, message.key, message.value)
