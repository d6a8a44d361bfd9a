"""The application of one anomaly worker: two thin agents in one group, and their two tables.

Frames are keyed by session and rules by whom they are about, so that a record goes over topic `observations` to where
its rows are. Both topics have the same number of partitions and one group of workers.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from prometheus_client import Histogram

from processors.anomaly.detector import Detector
from processors.anomaly.finder import Clock, Finder
from processors.anomaly.frames import AUDIT
from processors.anomaly.metrics import Metrics
from processors.anomaly.observer import Observer
from processors.anomaly.plan import plan_of
from processors.anomaly.rules import RuleSet
from processors.anomaly.settings import AnomalySettings
from processors.anomaly.state import State
from processors.anomaly.table import SECOND_US, ByteTable
from processors.masking import broker_settings
from processors.outlet import Outlet
from processors.strict import StrictApp, strict_settings
from processors.strict.lean import QuietMonitor
from schemas.kafka import KafkaAddress
from schemas.observations import TOPIC as OBSERVATIONS

log = structlog.get_logger(__name__)

GROUP = "sluicegate-anomaly"
GATHER_SECONDS = 0.05
DRAFT_SECONDS = 24 * 3600  # how long a request may wait for its answer

Process = Callable[[Sequence[Any]], Awaitable[None]]


def utc_micros() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


def anomaly_app(
    settings: AnomalySettings,
    rules: RuleSet,
    kafka: KafkaAddress,
    outlet: Outlet,
    metrics: Metrics,
    *,
    partitions: int,
    limit: int,
    now: Clock = utc_micros,
) -> StrictApp:
    """The Faust application; made and started inside the running event loop.

    `partitions`: of the topics audit and observations. `limit`: bytes of a dead letter.
    """
    app = StrictApp(
        GROUP,
        topic_partitions=partitions,
        topic_replication_factor=kafka.replication_min,
        store="memory://",
        **strict_settings(**broker_settings(kafka), datadir=str(settings.datadir), Monitor=QuietMonitor),
    )
    shape = {"partitions": partitions, "in_sync_min": kafka.in_sync_min}
    drafts = ByteTable(app, "drafts", keep_seconds=DRAFT_SECONDS, **shape)
    rows = ByteTable(app, "rows", keep_seconds=plan_of(rules).keep_us // SECOND_US, **shape)
    router = Detector(rules, State())
    observer = Observer(drafts, router, outlet, metrics, partitions=partitions, limit=limit)
    finder = Finder(
        rules,
        rows,
        outlet,
        metrics,
        limit=limit,
        rows_max=settings.rows_max,
        responses=settings.responses,
        now=now,
    )

    async def tell(_app: StrictApp, assigned: set[Any], **_: Any) -> None:
        finder.forget()
        numbers = sorted(place.partition for place in assigned if place.topic == AUDIT)
        log.info("partitions_assigned", generation=app.consumer_generation_id, partitions=numbers)

    for topic, name, process in (
        (AUDIT, "observe", observer.process),
        (OBSERVATIONS, "find", finder.process),
    ):
        timed = metrics.batch_seconds.labels(name)
        app.agent(app.raw_topic(topic), name=name)(_agent(app, process, timed, settings.batch_records_max))
    app.on_partitions_assigned.connect(tell)
    return app


def _agent(
    app: StrictApp, process: Process, timed: Histogram, batch: int
) -> Callable[[Any], Awaitable[None]]:
    async def work(stream: Any) -> None:
        async for events in stream.noack_take(batch, within=GATHER_SECONDS):
            owned = [event for event in events if app.owns(event)]
            if owned:
                with timed.time():
                    await process(owned)
            for event in owned:
                event.ack()

    return work
