"""One worker process of the anomaly processor, and its probes."""

import asyncio
from contextlib import AsyncExitStack

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
from processors.strict import RESTART_CODE
from processors.working import stop_event, work
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics
from schemas.observations import TOPIC as OBSERVATIONS

log = structlog.get_logger(__name__)

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
    stop = stop_event()
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
        return await work(app, stop)


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
