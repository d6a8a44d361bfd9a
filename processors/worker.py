"""One worker process: the masking processor, the completeness check beside it, and the probes."""

import asyncio
import signal
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from processors.completeness import CompletenessCheck
from processors.deadline import Deadline
from processors.dear import dear_detectors
from processors.kafka_view import KafkaView
from processors.logs import configure_logs
from processors.masking import AUDIT, FRAMES, MaskingProcessor, masking_app
from processors.masks import masks
from processors.metrics import Metrics
from processors.outlet import Outlet
from processors.probes import Probes
from processors.settings import ProcessorSettings
from processors.strict import RESTART_CODE, StrictApp, exit_for_restart
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics

log = structlog.get_logger(__name__)

STOP_SECONDS = 30.0


def run_worker(settings: ProcessorSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises ValueError for settings that cannot work (masking key, profile) and OSError for a taken port.
    """
    configure_logs()
    settings.datadir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_work(settings, kafka))


async def _work(settings: ProcessorSettings, kafka: KafkaAddress) -> int:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    deadline = Deadline(settings.masking_seconds_max)
    deadline.install()
    metrics = Metrics()
    detectors = dear_detectors(settings, metrics)
    use = masks(settings, deadline, detectors)
    try:
        limits, partitions = await _usable_topics(kafka)
    except (KafkaError, KafkaUnsafeError, OSError) as error:
        log.error("topics_not_usable", reason=str(error))  # noqa: TRY400 - the place tells nothing here
        return RESTART_CODE
    async with AsyncExitStack() as stack:
        outlet = await stack.enter_async_context(Outlet(kafka))
        processor = MaskingProcessor(use, outlet, metrics, limits[AUDIT])
        app = masking_app(settings, kafka, processor, partitions)
        probes = Probes(metrics.registry, lambda: "" if app.flowing else "no partitions assigned yet")
        server = await probes.start(settings.host, settings.port, settings.port_file)
        stack.callback(server.close)
        check = CompletenessCheck(kafka, processor, outlet, metrics, interval_seconds=settings.check_seconds)
        return await _run(app, check, stop)


async def _usable_topics(kafka: KafkaAddress) -> tuple[dict[str, int], int]:
    """(`max.message.bytes` by topic, partitions of `frames`).

    Raises KafkaUnsafeError for settings that lose records or halt the worker."""
    await ensure_topics(kafka)
    limits = await check_topics(kafka)
    async with KafkaView(kafka) as view:
        frames, audit = await view.partitions(FRAMES), await view.partitions(AUDIT)
    if frames != audit:
        raise KafkaUnsafeError(
            f"topic {FRAMES} has {len(frames)} partitions and topic {AUDIT} {len(audit)}; a frame keeps its"
            " partition, so add partitions to the smaller one"
        )
    return limits, len(frames)


async def _run(app: StrictApp, check: CompletenessCheck, stop: asyncio.Event) -> int:
    app.finalize()
    await app.start()
    log.info("processor_started")
    checking = asyncio.create_task(check.run(stop))
    await _first(stop.wait(), app.wait_until_stopped(), asyncio.shield(checking))
    if not stop.is_set():
        ended = "the completeness check" if checking.done() else "Faust"
        exit_for_restart(f"{ended} ended by itself")
    log.info("processor_stopping")
    await _stop(app, checking)
    return 0


async def _stop(app: StrictApp, checking: asyncio.Task[None]) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await app.stop()
            await checking
    except TimeoutError:
        exit_for_restart(f"did not stop within {STOP_SECONDS:.0f} s")
    log.info("processor_stopped")


async def _first(*waits: Awaitable[Any]) -> None:
    """Return when one of `waits` is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
