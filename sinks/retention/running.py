"""Forgetting as the store process runs it: a client of its own, so that a long change holds up no batch."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from schemas.kafka import KafkaAddress
from sinks.clickhouse import StoreThread
from sinks.retention.job import Forgetter
from sinks.retention.keeper import Keeper
from sinks.retention.metrics import RetentionMetrics
from sinks.settings import SinkSettings


@asynccontextmanager
async def forgetting(
    settings: SinkSettings, kafka: KafkaAddress, registry: CollectorRegistry, ours: Callable[[], bool]
) -> AsyncIterator[None]:
    """Forgets until the block ends; the next start finishes what is under way then. Nothing without settings."""
    if settings.retention is None:
        yield
        return
    address = settings.clickhouse
    store = StoreThread(lambda: address.connect({"async_insert": 0}), "store-retention")
    forgetter = Forgetter(settings.retention, kafka, store, database=address.database, topics=settings.topics)
    keeper = Keeper(forgetter, RetentionMetrics(registry), ours, settings.retention.every_seconds)
    rounds = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)
        await store.close()
