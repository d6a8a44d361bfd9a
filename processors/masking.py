"""The masking processor: a thin Faust agent over `masking_step.step`."""

import asyncio
from collections.abc import Iterable, Mapping
from math import inf
from time import monotonic
from typing import Any

import faust
import structlog

from processors.known_table import KnownTable
from processors.late import late
from processors.masking_step import Rejected, step
from processors.masks import Masks
from processors.memory import Memory, Row
from processors.metrics import Metrics
from processors.outlet import Outlet
from processors.records import Incoming, Outgoing
from processors.rejected import dead_letter
from processors.settings import ProcessorSettings
from processors.strict import StrictApp, strict_settings
from processors.strict.lean import QuietMonitor
from schemas.kafka import KafkaAddress

log = structlog.get_logger(__name__)

GROUP = "sluicegate-masking"
FRAMES = "frames"
AUDIT = "audit"
GATHER_SECONDS = 0.05
BREATH_RECORDS = 50  # probes and heartbeats of the loop get their turn this often
RECORD_OVERHEAD_BYTES = 1024

SLICE_SECONDS = 2.0
"""Work between two acknowledgements: names make a batch take minutes, and a rebalance waits for seconds."""


class MaskingProcessor:
    """Masks frames and sends the results. Shared by the agent and by the completeness check's re-drive."""

    def __init__(self, masks: Masks, outlet: Outlet, metrics: Metrics, message_bytes_max: int) -> None:
        self._masks = masks
        self._outlet = outlet
        self._metrics = metrics
        self._limit = message_bytes_max - RECORD_OVERHEAD_BYTES

    async def process(
        self, frames: Iterable[Incoming], rows: Mapping[bytes, Row], seconds: float = inf
    ) -> tuple[int, dict[bytes, Row]]:
        """Mask `frames` until `seconds` have passed: how many are done, and rows of sessions that learned.

        Returns when every result is durable; at least one frame is done. `rows` is what their sessions remember, by
        key. Raises KafkaError when a result is not durable.
        """
        memories: dict[tuple[bytes, int], Memory] = {}
        outgoing: list[Outgoing] = []
        started, count = monotonic(), 0
        with self._metrics.batch_seconds.time():
            for count, frame in enumerate(frames, 1):
                place = (frame.key or b"", frame.partition)
                if place not in memories:
                    memories[place] = Memory.restored(frame.partition, rows.get(frame.key or b""))
                outgoing += self._results(frame, memories[place])
                if not count % BREATH_RECORDS:
                    await asyncio.sleep(0)
                if monotonic() - started > seconds:
                    break
            await self._outlet.send(outgoing)
        self._metrics.audited.inc(sum(record.topic == AUDIT for record in outgoing))
        return count, {key: memory.row() for (key, _), memory in memories.items() if memory.changed}

    def _results(self, frame: Incoming, memory: Memory) -> list[Outgoing]:
        key = frame.key or b""
        done = step(frame.value, frame.partition, frame.offset, self._masks, self._limit - len(key), memory)
        if isinstance(done, Rejected):
            return [self._rejected(frame, done)]
        self._metrics.masked(done.deep, done.late)
        return [Outgoing(AUDIT, frame.partition, frame.key, done.value), *(late(done) if done.late else ())]

    def _rejected(self, frame: Incoming, rejected: Rejected) -> Outgoing:
        self._metrics.rejected.labels(rejected.reason_code).inc()
        return dead_letter(frame, rejected, self._limit)


def masking_app(
    settings: ProcessorSettings, kafka: KafkaAddress, processor: MaskingProcessor, partitions: int
) -> StrictApp:
    """The Faust application; made and started inside the running event loop. `partitions`: of topic frames."""
    app = StrictApp(
        GROUP,
        topic_partitions=partitions,
        topic_replication_factor=kafka.replication_min,
        store="memory://",
        **strict_settings(**broker_settings(kafka), datadir=str(settings.datadir), Monitor=QuietMonitor),
    )
    known = KnownTable(app, partitions, kafka.in_sync_min)
    frames = app.raw_topic(FRAMES)

    async def mask_frames(stream: Any) -> None:
        async for events in stream.noack_take(settings.batch_records_max, within=GATHER_SECONDS):
            left = [event for event in events if app.owns(event)]
            while left:
                rows = known.rows(left)
                done, learned = await processor.process(map(_incoming, left), rows, SLICE_SECONDS)
                known.keep(left[:done], learned)
                known.forget(left[:done])
                await known.durable()
                for event in left[:done]:
                    event.ack()
                left = [event for event in left[done:] if app.owns(event)]

    async def tell(_app: StrictApp, assigned: set[Any], **_: Any) -> None:
        numbers = sorted(place.partition for place in assigned if place.topic == FRAMES)
        log.info("partitions_assigned", generation=app.consumer_generation_id, partitions=numbers)

    app.agent(frames, name="mask_frames")(mask_frames)
    app.on_partitions_assigned.connect(tell)
    return app


def _incoming(event: Any) -> Incoming:
    message = event.message
    return Incoming(message.topic, message.partition, message.offset, message.key, message.value)


def broker_settings(kafka: KafkaAddress) -> dict[str, Any]:
    """The address in Faust's words. Raises OSError for an unreadable certificate."""
    settings: dict[str, Any] = {"broker": [f"kafka://{host.strip()}" for host in kafka.bootstrap.split(",")]}
    tls = kafka.ssl_context() if kafka.security_protocol.endswith("SSL") else None
    if kafka.security_protocol.startswith("SASL"):
        settings["broker_credentials"] = faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password,
            mechanism=kafka.sasl_mechanism,
            ssl_context=tls,
        )
    elif tls is not None:
        settings["broker_credentials"] = faust.SSLCredentials(tls)
    return settings
