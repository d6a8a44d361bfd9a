"""One worker process: the masking processor, the completeness check beside it, and the probes."""

import asyncio
from contextlib import AsyncExitStack

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
from processors.strict import RESTART_CODE
from processors.working import stop_event, work
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics

log = structlog.get_logger(__name__)


def run_worker(settings: ProcessorSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises ValueError for settings that cannot work (masking key, profile) and OSError for a taken port.
    """
    configure_logs()
    settings.datadir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_work(settings, kafka))


async def _work(settings: ProcessorSettings, kafka: KafkaAddress) -> int:
    stop = stop_event()
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
        return await work(app, stop, check.run, "the completeness check")


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
