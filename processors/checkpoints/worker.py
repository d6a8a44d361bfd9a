"""One worker process of the checkpointer, and its probes."""

import asyncio
from contextlib import AsyncExitStack

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processors.checkpoints.anchoring import Anchoring, anchors_of
from processors.checkpoints.book import Book
from processors.checkpoints.checkpointer import Checkpointer
from processors.checkpoints.metrics import CheckpointMetrics
from processors.checkpoints.opener import Opener
from processors.checkpoints.readback import ReadBack
from processors.checkpoints.settings import CheckpointSettings
from processors.checkpoints.signing import Signer
from processors.kafka_view import KafkaView
from processors.logs import configure_logs
from processors.outlet import Outlet
from processors.probes import Probes
from processors.strict import RESTART_CODE
from processors.working import first, stop_event
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics

log = structlog.get_logger(__name__)

DEFAULT_ORIGIN = "sluicegate"


def run_checkpoints(settings: CheckpointSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises ValueError for settings that cannot work and OSError for a taken port or a folder that cannot be written.
    """
    configure_logs()
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    Signer("check", settings.seed, settings.former_keys)
    return asyncio.run(_work(settings, kafka))


async def _work(settings: CheckpointSettings, kafka: KafkaAddress) -> int:
    stop = stop_event()
    try:
        await _usable_topics(kafka)
        await run_until(stop, settings, kafka)
    except (KafkaError, KafkaUnsafeError, TimeoutError, ExceptionGroup) as error:
        log.error("checkpointer_ended", reason="; ".join(_reasons(error)))  # noqa: TRY400 - the place tells nothing here
        return RESTART_CODE
    return 0


def _reasons(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [reason for each in error.exceptions for reason in _reasons(each)]
    return [f"{type(error).__name__}: {error}"]


async def run_until(stop: asyncio.Event, settings: CheckpointSettings, kafka: KafkaAddress) -> None:
    """Sign and anchor, with probes, until `stop`. The topics have to exist.

    Raises KafkaError, TimeoutError or a group of them for what a restart mends, and OSError for a taken port."""
    async with AsyncExitStack() as stack:
        await _run(stop, settings, kafka, stack)


async def _run(
    stop: asyncio.Event, settings: CheckpointSettings, kafka: KafkaAddress, stack: AsyncExitStack
) -> None:
    metrics, topics = CheckpointMetrics(), settings.topics
    view = await stack.enter_async_context(KafkaView(kafka))
    outlet = await stack.enter_async_context(Outlet(kafka))
    name = settings.origin or await default_origin(kafka)
    signer = Signer(name, settings.seed, settings.former_keys, topics.audit)
    signer.publish(settings.folder, await view.partitions(topics.audit))
    places = len(await view.partitions(topics.checkpoints))
    anchors = anchors_of(
        settings, await stack.enter_async_context(ReadBack(kafka, topics.checkpoints, places))
    )
    anchoring = Anchoring(settings, anchors, outlet, metrics, places=places)
    opener = Opener(
        view,
        await stack.enter_async_context(ReadBack(kafka, topics.checkpoints, places)),
        signer,
        Book(settings.folder),
        anchoring.claims_with(signer),
        settings=settings,
    )
    checkpointer = Checkpointer(settings, kafka, signer, opener, outlet, metrics=metrics)
    probes = Probes(metrics.registry, lambda: checkpointer.fault)
    server = await probes.start(settings.host, settings.port, settings.port_file)
    stack.callback(server.close)
    log.info("processor_started", origin=signer.name)
    async with asyncio.TaskGroup() as tasks:
        signing = tasks.create_task(checkpointer.run(stop))
        anchored = tasks.create_task(anchoring.run(lambda: checkpointer.heads))
        await first(stop.wait(), asyncio.shield(signing))
        await signing
        anchored.cancel()
    log.info("processor_stopped")


async def _usable_topics(kafka: KafkaAddress) -> None:
    await ensure_topics(kafka)
    await check_topics(kafka)


async def default_origin(kafka: KafkaAddress) -> str:
    """`sluicegate/` and the id of the Kafka cluster: the same for all who share it, and for nobody else."""
    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()
    try:
        told = await admin.describe_cluster()
    finally:
        await admin.close()
    return f"{DEFAULT_ORIGIN}/{told['cluster_id']}"
