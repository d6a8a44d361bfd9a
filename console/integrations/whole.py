"""All integrations of one console: their routes, and the one process among several that delivers."""

import asyncio
import traceback

import structlog
from aiohttp import ClientSession
from prometheus_client import REGISTRY, CollectorRegistry
from starlette.routing import Route

from console.integrations.book import KafkaBook
from console.integrations.desk import DeskLike
from console.integrations.means import Means
from console.integrations.metrics import Metrics
from console.integrations.parts import Parts
from console.integrations.settings import IntegrationSettings
from gateway.edge.announce import FINDINGS, Announcer
from schemas.kafka import KafkaAddress

log = structlog.get_logger("integrations")


class Integrations:
    """One a process. `routes` are served beside the console's own, without its bearer tokens: each asks for the
    vendor's signature. `run` delivers while this process has the book."""

    def __init__(
        self,
        settings: IntegrationSettings,
        desk: DeskLike,
        http: ClientSession,
        kafka: KafkaAddress,
        *,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._pause_seconds = settings.retries.first_seconds
        self._book = KafkaBook(kafka)
        self._announcer = Announcer(kafka, topics=(FINDINGS,))
        means = Means(self._book, self._announcer.finding, Metrics(registry), settings.retries)
        self._parts = Parts(settings, desk, http, means)

    def routes(self) -> list[Route]:
        """All below `/integrations/`."""
        return list(self._parts.routes)

    async def run(self) -> None:
        """Until cancelled."""
        if not self._parts.work:
            return
        self._announcer.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._book.run())
                group.create_task(self._lead())
        finally:
            await self._parts.stop()
            await self._announcer.stop()

    async def _lead(self) -> None:
        while True:
            await self._book.opened.wait()
            await self._deliver()

    async def _deliver(self) -> None:
        """Until the book is another's. When a part fails for a reason that nobody foresaw, all begin again."""
        tasks = [asyncio.ensure_future(work()) for work in self._parts.work]
        closed = asyncio.create_task(self._book.closed.wait())
        try:
            done, _ = await asyncio.wait([closed, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (closed, *tasks):
                task.cancel()
            await asyncio.gather(closed, *tasks, return_exceptions=True)
        for task in done - {closed}:
            if error := task.exception():
                # Where it failed, and not what it says: that might hold a secret.
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{last.filename}:{last.lineno}"
                log.error("integration_failed", error=type(error).__name__, where=where)
                await asyncio.sleep(self._pause_seconds)
