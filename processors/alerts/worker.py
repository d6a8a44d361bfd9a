"""One worker process of the alerts processor, and its probes."""

import asyncio
import re
from contextlib import AsyncExitStack

import structlog
from aiokafka.errors import KafkaError

from processors.alerts.app import ADMIN, CONTROL, FINDINGS, AlertsProcessor
from processors.alerts.delivery import unknown_urls
from processors.alerts.metrics import AlertMetrics
from processors.alerts.postman import ATTEMPTS
from processors.alerts.settings import AlertSettings
from processors.kafka_view import KafkaView
from processors.logs import configure_logs
from processors.outlet import Outlet
from processors.probes import Probes
from processors.rejected import DEAD_LETTERS
from processors.strict import RESTART_CODE
from processors.working import stop_event, work
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics, ensure_topics

log = structlog.get_logger(__name__)

RECORD_OVERHEAD_BYTES = 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def run_alerts(settings: AlertSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises ValueError for a route that cannot work and OSError for a taken port.
    """
    configure_logs()
    check_routes(settings)
    settings.datadir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_work(settings, kafka))


def check_routes(settings: AlertSettings) -> None:
    """Raises ValueError, without quoting a URL, for a route that cannot work. No network is touched."""
    names = [route.name for route in settings.routes]
    for route in settings.routes:
        if not _NAME.fullmatch(route.name) or names.count(route.name) > 1:
            raise ValueError(
                f"route {route.name!r}: give each route a name of its own, of letters, digits, _ . -"
            )
        if route.hour_max < 1 or route.group_seconds < 0:
            raise ValueError(f"route {route.name}: at least 1 message an hour, and a time of 0 s or more")
        if unknown := unknown_urls(route.urls):
            places = ", ".join(str(number + 1) for number in unknown)
            raise ValueError(f"route {route.name}: apprise cannot use its URL number {places}")


async def _work(settings: AlertSettings, kafka: KafkaAddress) -> int:
    stop = stop_event()
    try:
        limit = await _usable_topics(kafka)
    except (KafkaError, KafkaUnsafeError, OSError) as error:
        log.error("topics_not_usable", reason=str(error))  # noqa: TRY400 - the place tells nothing here
        return RESTART_CODE
    metrics = AlertMetrics()
    async with AsyncExitStack() as stack:
        outlet = await stack.enter_async_context(Outlet(kafka))
        processor = AlertsProcessor(settings, kafka, outlet, metrics, limit)
        flowing = processor.app
        probes = Probes(metrics.registry, lambda: "" if flowing.flowing else "no partitions assigned yet")
        server = await probes.start(settings.host, settings.port, settings.port_file)
        stack.callback(server.close)
        return await work(processor.app, stop, processor.postman.watch, "the postman")


async def _usable_topics(kafka: KafkaAddress) -> int:
    """Bytes of a dead letter. Raises KafkaUnsafeError where one of the topics has more than one partition."""
    await ensure_topics(kafka)
    limits = await check_topics(kafka)
    async with KafkaView(kafka) as view:
        counts = {name: len(await view.partitions(name)) for name in (FINDINGS, CONTROL, ATTEMPTS, ADMIN)}
    if set(counts.values()) != {1}:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise KafkaUnsafeError(f"each of these topics must have one partition: {told}; make it anew")
    return limits[DEAD_LETTERS] - RECORD_OVERHEAD_BYTES
