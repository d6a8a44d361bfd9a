"""One worker process of the anomaly processor, and its probes."""

import asyncio
import signal
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from processors.anomaly.app import anomaly_app
from processors.anomaly.frames import AUDIT
from processors.anomaly.load import load_rules
from processors.anomaly.metrics import Metrics
from processors.anomaly.rules import RuleSet
from processors.anomaly.settings import AnomalySettings
from processors.kafka_view import KafkaView
from processors.logs import configure_logs
from processors.outlet import Outlet
from processors.probes import Probes
from processors.rejected import DEAD_LETTERS
from processors.strict import RESTART_CODE, StrictApp, exit_for_restart
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics
from schemas.observations import TOPIC as OBSERVATIONS

log = structlog.get_logger(__name__)

STOP_SECONDS = 30.0
RECORD_OVERHEAD_BYTES = 1024


def run_anomaly(settings: AnomalySettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises RulesError for rules that cannot be used and OSError for a taken port.
    """
    configure_logs()
    rules = load_rules(settings.rules)
    settings.datadir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_work(settings, rules, kafka))


async def _work(settings: AnomalySettings, rules: RuleSet, kafka: KafkaAddress) -> int:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    try:
        partitions, limit = await _usable_topics(kafka)
    except (KafkaError, KafkaUnsafeError, OSError) as error:
        log.error("topics_not_usable", reason=str(error))  # noqa: TRY400 - the place tells nothing here
        return RESTART_CODE
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        outlet = await stack.enter_async_context(Outlet(kafka))
        app = anomaly_app(settings, rules, kafka, outlet, metrics, partitions=partitions, limit=limit)
        probes = Probes(metrics.registry, lambda: "" if app.flowing else "no partitions assigned yet")
        server = await probes.start(settings.host, settings.port, settings.port_file)
        stack.callback(server.close)
        log.info("rules_loaded", rules=len(rules.rules), version=rules.version)
        return await _run(app, stop)


async def _usable_topics(kafka: KafkaAddress) -> tuple[int, int]:
    """(Partitions of the two topics, bytes of a dead letter). Raises KafkaUnsafeError where they differ."""
    await ensure_topics(kafka)
    limits = await check_topics(kafka)
    async with KafkaView(kafka) as view:
        counts = {name: len(await view.partitions(name)) for name in (AUDIT, OBSERVATIONS)}
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise KafkaUnsafeError(
            f"these topics must have the same number of partitions: {told}; add to the smaller"
        )
    return counts[AUDIT], limits[DEAD_LETTERS] - RECORD_OVERHEAD_BYTES


async def _run(app: StrictApp, stop: asyncio.Event) -> int:
    app.finalize()
    await app.start()
    log.info("processor_started")
    await _first(stop.wait(), app.wait_until_stopped())
    if not stop.is_set():
        exit_for_restart("Faust ended by itself")
    log.info("processor_stopping")
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await app.stop()
    except TimeoutError:
        exit_for_restart(f"did not stop within {STOP_SECONDS:.0f} s")
    log.info("processor_stopped")
    return 0


async def _first(*waits: Awaitable[Any]) -> None:
    """Return when one of `waits` is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
