"""The recorder: success means that every replica that must have the frame has it on durable storage.

G1 and G2 stand on `Recorder.record`: it answers True only after Kafka's acknowledgement (acks=all, idempotent
producer), False when the deadline passed first, and at once when the trail is known to be unwritable.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from gateway.edge.clock import SKEW_MS, RecordClock
from gateway.edge.identifiers import Entropy
from gateway.edge.lane import BATCH_BYTES_MAX, Lane, Ticket, header_of
from gateway.edge.metrics import METRICS
from gateway.edge.sizes import HEADER_ROOM_BYTES, bounded, parts, writable
from gateway.effects import Draft
from gateway.facts import BLANK
from schemas.clients import start_client
from schemas.codec import CodecError
from schemas.frames import SALT_BYTES
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics

TOPIC = "frames"
TICK_SECONDS = 0.05
BATCH_ROOM_BYTES = 64 * 1024
CHECK_SECONDS = 60.0

log = structlog.get_logger("recorder")


class Recorder:
    """Frames onto topic `frames`. One a process; `start` before use, `stop` drains what is queued."""

    def __init__(
        self, kafka: KafkaAddress, name: str, *, deadline_seconds: float, frames_max: int, bytes_max: int
    ) -> None:
        self._kafka = kafka
        self._name = name
        self._entropy = Entropy()
        self._deadline = deadline_seconds
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._lanes: list[Lane] = []
        self._clock = RecordClock()
        self._tasks: list[asyncio.Task[None]] = []
        self._producer: AIOKafkaProducer | None = None
        self._replacing = asyncio.Lock()
        self._part_bytes = 0
        self._queued_frames = 0
        self._queued_bytes = 0
        self._late = False
        self._unrecorded_refusals = 0
        self.fault = "the recorder has not reached Kafka yet"
        self.keep: Callable[[Mapping[str, object], bytes], None] | None = None  # takes originals, see Sealer

    # -- life

    def start(self) -> None:
        """Begins to reach for Kafka in the background; `fault` tells how far it is."""
        self._tasks = [asyncio.create_task(self._watch_topics()), asyncio.create_task(self._tick())]

    async def stop(self, drain_seconds: float) -> None:
        """Waits at most that long for queued frames, then leaves."""
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                await asyncio.gather(*(lane.drained() for lane in self._lanes))
        left = sum(len(lane.pending) + len(lane.in_flight) for lane in self._lanes)
        if left:
            log.error("frames_not_recorded", frames=left, advice="they were never acknowledged to anybody")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._producer is not None:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(2):
                    await self._producer.stop()

    @property
    def ready(self) -> bool:
        """Whether a frame given now has a chance to be recorded in time."""
        return not self.fault and not self._late

    # -- frames

    async def record(self, base: dict[str, object], drafts: list[Draft], started: float) -> bool:
        """True once every frame is acknowledged; False when that did not happen within the deadline."""
        if self._refuses():
            self._unrecorded_refusals += len(drafts)
            return False
        tickets = [ticket for draft in drafts for ticket in self._enter(base, draft, started)]
        if self.fault or self._late:
            return False  # queued, and recorded when Kafka is back; nobody is kept waiting for it
        last = tickets[-1].awaited()
        if len(tickets) == 1:
            return await last
        waits = [ticket.awaited() for ticket in tickets[:-1]]
        return all(await asyncio.gather(*waits, last))

    def note(self, base: dict[str, object], drafts: list[Draft], started: float) -> None:
        """Queues frames that nobody waits for."""
        if self._refuses():
            self._unrecorded_refusals += len(drafts)
            return
        for draft in drafts:
            self._enter(base, draft, started)

    def _refuses(self) -> bool:
        return (
            not self._lanes
            or self._queued_frames >= self._frames_max
            or self._queued_bytes >= self._bytes_max
        )

    def _enter(self, base: dict[str, object], draft: Draft, started: float) -> list[Ticket]:
        now = time.monotonic()
        session = str(draft.facts.get("session_id") or base["session_id"])
        lane = self._lanes[_partition(session, len(self._lanes))]
        fields: dict[str, object] = {
            **base,
            **draft.facts,
            "direction": draft.direction,
            "body_bytes": draft.body_bytes,
            "frame_id": self._entropy.uuid7(),
            "recorded_at": self._clock.now(),
            "elapsed_us": int((now - started) * 1e6),
        }
        if self._clock.skew_us:
            fields["attributes"] = _skewed(fields.get("attributes"), self._clock.skew_us)
        try:
            tickets = self._enter_parts(lane, bounded(fields), draft, session.encode(), now)
        except (
            UnicodeEncodeError,
            CodecError,
        ):  # half a surrogate pair in some text, which no record can hold
            draft.redactions = writable(draft.redactions)
            tickets = self._enter_parts(lane, writable(fields), draft, session.encode(), now)
        if draft.original is not None and self.keep is not None:
            self.keep(fields, draft.original)
        self._queued_frames += len(tickets)
        self._queued_bytes += sum(len(ticket.value) for ticket in tickets)
        return tickets

    def _enter_parts(
        self, lane: Lane, fields: dict[str, object], draft: Draft, key: bytes, now: float
    ) -> list[Ticket]:
        """One record, or, above the topic's message limit, numbered parts that share the frame's id."""
        pieces = parts(draft.body, draft.redactions, self._part_bytes)
        tickets = []
        for number, (body, redactions) in enumerate(pieces, 1):
            fields |= {"part": number, "parts": len(pieces), "redactions": redactions}
            header = header_of(fields)
            tickets.append(lane.enter(header, body, self._entropy.take(SALT_BYTES), key, now))
        return tickets

    def _tell_gap(self) -> None:
        """Frames for which even the queue had no room are counted, and the count is in the trail."""
        lost, self._unrecorded_refusals = self._unrecorded_refusals, 0
        log.info("audit_available", frames_never_queued=lost)
        if lost:
            facts: dict[str, object] = {
                "outcome": "refused",
                "reason_code": "frames_never_queued",
                "reason": f"{lost} frames of refused exchanges found the queue full while Kafka was away",
            }
            base = {**BLANK, "exchange_id": self._entropy.uuid7()}
            self.note(base, [Draft("end", facts=facts)], time.monotonic())

    # -- Kafka

    async def _deliver(self, partition: int, tickets: list[Ticket]) -> None:
        pause = 0.05
        while True:
            try:
                await self._send(partition, tickets)
            except (KafkaError, OSError, TimeoutError) as exc:
                log.warning("send_in_doubt", partition=partition, frames=len(tickets), error=repr(exc))
                await self._replace_producer()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
            else:
                self._queued_frames -= len(tickets)
                self._queued_bytes -= sum(len(ticket.value) for ticket in tickets)
                METRICS.record_seconds.observe(time.monotonic() - tickets[0].entered)
                return

    async def _send(self, partition: int, tickets: list[Ticket]) -> None:
        producer = self._producer
        if producer is None:
            raise KafkaError("no producer")
        batch = producer.create_batch()
        for ticket in tickets:
            if batch.append(timestamp=ticket.timestamp_ms, key=ticket.key, value=ticket.value) is None:
                raise KafkaError("a batch was cut smaller than a lane's batch may be")
        await (await producer.send_batch(batch, TOPIC, partition=partition))

    async def _replace_producer(self) -> None:
        """A failed batch leaves the sequence of its producer in doubt, so a new producer takes over."""
        if self._replacing.locked():
            async with self._replacing:
                return
        async with self._replacing:
            old, self._producer = self._producer, None
            if old is not None:
                with suppress(KafkaError, TimeoutError, OSError):
                    async with asyncio.timeout(2):
                        await old.stop()
            with suppress(KafkaError, OSError):
                self._producer = await self._new_producer()

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._kafka.client_options(),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=5_000,
            retry_backoff_ms=200,
            metadata_max_age_ms=60_000,
            max_batch_size=BATCH_BYTES_MAX + 8 * 1024 * 1024,
            max_request_size=64 * 1024 * 1024,
        )
        try:
            await start_client(producer)
            await producer.partitions_for(TOPIC)
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _watch_topics(self) -> None:
        """Reaches for Kafka, then checks again and again that the topics are safe to record on."""
        while True:
            try:
                limits = await check_topics(self._kafka)
                if self._producer is None and not self._lanes:
                    await self._open_lanes()
                self._part_bytes = limits[TOPIC] - HEADER_ROOM_BYTES
                for lane in self._lanes:  # Kafka holds a whole batch to the limit of one message
                    lane.batch_bytes_max = min(BATCH_BYTES_MAX, limits[TOPIC] - BATCH_ROOM_BYTES)
                self.fault = ""
            except KafkaUnsafeError as exc:
                self.fault = str(exc)
                log.error("topics_unsafe", fault=self.fault)  # noqa: TRY400 - the fault is the message
            except (KafkaError, OSError) as exc:
                if not self._lanes:
                    self.fault = f"Kafka at {self._kafka.bootstrap} cannot be reached: {type(exc).__name__}"
            await asyncio.sleep(0.5 if self.fault else CHECK_SECONDS)

    async def _open_lanes(self) -> None:
        self._producer = await self._new_producer()
        partitions = sorted(await self._producer.partitions_for(TOPIC))
        self._lanes = [Lane(f"{self._name}/{number}", number, self._deliver) for number in partitions]
        self._tasks += [asyncio.create_task(lane.run()) for lane in self._lanes]

    async def _tick(self) -> None:
        """Ends waits that are past the deadline, and says aloud when the trail stops being written."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            for lane in self._lanes:
                lane.expire(now - self._deadline)
            oldest = min((t for lane in self._lanes if (t := lane.oldest()) is not None), default=now)
            late = now - oldest > self._deadline
            if late != self._late:
                log.error("audit_unavailable") if late else self._tell_gap()
            self._late = late
            METRICS.unrecorded.set(self._queued_frames)


@lru_cache(maxsize=4096)
def _partition(session: str, partitions: int) -> int:
    """As Kafka's default partitioner places a key."""
    return int((murmur2(session.encode()) & 0x7FFFFFFF) % partitions)


def _skewed(attributes: object, skew_us: int) -> dict[str, str]:
    known = attributes if isinstance(attributes, dict) else {}
    return {**known, SKEW_MS: str(round(skew_us / 1_000))}
