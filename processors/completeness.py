"""The completeness check: proves, all the time, that every processed frame is in `audit` or in `dead-letters`.

One task a worker reads both topics in group `sluicegate-completeness`; the partitions of `audit`, and with them
those of `frames`, are shared among the workers. Every few seconds it asks Kafka how far the masking group has
committed, and then where the logs end; when reading has come that far, `ledger` judges. What is missing is raised
as a finding first, so that no repair is silent, and then driven again.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from aiokafka.errors import KafkaError

from processors import findings
from processors.findings import Clock
from processors.intervals import first_offsets, text, total
from processors.kafka_view import KafkaView
from processors.ledger import Ledger, Mark
from processors.masking import AUDIT, FRAMES, MaskingProcessor
from processors.masking import GROUP as MASKING_GROUP
from processors.metrics import Metrics
from processors.outlet import Outlet
from processors.redrive import redrive
from processors.rejected import DEAD_LETTERS
from processors.trail_reader import TrailReader
from schemas.kafka import KafkaAddress

log = structlog.get_logger(__name__)

REDRIVE_MAX = 10_000  # frames driven again in one go; the next judgement finds the rest
RETRY_SECONDS = 2.0


def utc_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


class CompletenessCheck:
    """The check of one worker. `run` never returns by itself; it goes on after Kafka was away."""

    def __init__(
        self,
        kafka: KafkaAddress,
        processor: MaskingProcessor,
        outlet: Outlet,
        metrics: Metrics,
        *,
        interval_seconds: float = 5.0,
        now: Clock = utc_micros,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kafka = kafka
        self._processor = processor
        self._outlet = outlet
        self._metrics = metrics
        self._interval = interval_seconds
        self._now = now
        self._monotonic = monotonic

    async def run(self, stop: asyncio.Event) -> None:
        """Check until `stop` is set; the books are committed last."""
        while not stop.is_set():
            try:
                await self._run_once(stop)
            except (KafkaError, TimeoutError) as error:
                log.warning("completeness_interrupted", error=type(error).__name__)
                await _pause(stop, RETRY_SECONDS)

    async def _run_once(self, stop: asyncio.Event) -> None:
        async with KafkaView(self._kafka) as view:
            reading = TrailReader(self._kafka, view)
            await reading.start()
            try:
                await self._check(reading, view, stop)
            finally:
                await reading.stop()

    async def _check(self, reading: TrailReader, view: KafkaView, stop: asyncio.Event) -> None:
        due = 0.0
        while not stop.is_set():
            await reading.read()
            for ledger in list(reading.ledgers.values()):
                if ledger.judge(*await reading.position(ledger)):
                    await self._repair(ledger)
            if self._monotonic() >= due:
                await reading.keep()
                await mark(reading.ledgers.values(), view)
                self._show(reading.ledgers.values())
                due = self._monotonic() + self._interval

    async def _repair(self, ledger: Ledger) -> None:
        """Raise what is missing, then drive it again; what retention took is lost, and raised as that."""
        ranges = first_offsets(ledger.missing, REDRIVE_MAX)
        log.error(
            "frames_missing_in_audit",
            partition=ledger.partition,
            offsets=text(ledger.missing),
            frames=ledger.missing_frames,
        )
        await self._outlet.send([findings.missing(ledger.partition, ranges, self._now)])
        done = await redrive(self._kafka, ledger.partition, ranges, self._processor)
        ledger.redriven += done.frames
        log.warning("frames_redriven", partition=ledger.partition, frames=done.frames)
        if done.expired:
            log.error("frames_expired_unseen", partition=ledger.partition, offsets=text(done.expired))
            await self._outlet.send([findings.expired(ledger.partition, done.expired, self._now)])
            ledger.expired += total(done.expired)
        ledger.account(done.expired)
        ledger.account(done.void)

    def _show(self, ledgers: Iterable[Ledger]) -> None:
        for ledger in ledgers:
            partition = str(ledger.partition)
            self._metrics.verified.labels(partition).set(ledger.watermark)
            self._metrics.missing.labels(partition).set(ledger.missing_frames)
            self._metrics.redriven.labels(partition).set(ledger.redriven)
            self._metrics.expired.labels(partition).set(ledger.expired)


async def mark(ledgers: Iterable[Ledger], view: KafkaView) -> None:
    """Make the next appointment of each ledger that has none. The order of the questions is the proof.

    First how far the masking has committed, then the ends of the logs: what it committed was durable before.
    """
    waiting = [ledger for ledger in ledgers if ledger.mark is None]
    if not waiting:
        return
    numbers = [ledger.partition for ledger in waiting]
    committed = await view.committed(MASKING_GROUP, FRAMES)
    lows = await view.lows(FRAMES, numbers)
    audit_ends = await view.ends(AUDIT, numbers)
    dead_letter_ends = await view.ends(DEAD_LETTERS, await view.partitions(DEAD_LETTERS))
    for ledger in waiting:
        number = ledger.partition
        processed = committed[number].offset if number in committed else 0
        ledger.mark = Mark(max(processed, lows[number]), audit_ends[number], dead_letter_ends)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
