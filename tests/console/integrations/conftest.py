"""A desk, a book, and the integrations of a console: served on loopback, delivering, with real HTTP on all sides."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from console.integrations.means import Means
from console.integrations.metrics import Metrics
from console.integrations.parts import Parts
from console.integrations.settings import IntegrationSettings, Retries
from console.integrations.vendor import session
from schemas.findings import FindingRecord
from tests.console.integrations.paper import PaperBook, PaperDesk

QUICK = Retries(first_seconds=0.02, longest_seconds=0.1, tries=3, timeout_seconds=5.0)
PUBLIC_URL = "https://console.example.com"


@dataclass
class Stage:
    """What the integrations of one console stand on; it outlives them."""

    http: aiohttp.ClientSession
    desk: PaperDesk = field(default_factory=PaperDesk)
    book: PaperBook = field(default_factory=PaperBook)
    findings: list[FindingRecord] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)

    async def raise_finding(self, record: FindingRecord) -> bool:
        self.findings.append(record)
        return True

    def counted(self, name: str, integration: str = "slack", **labels: str) -> float:
        """A metric's value."""
        metric = getattr(self.metrics, name).labels(integration=integration, **labels)
        return float(metric.collect()[0].samples[0].value)

    def means(self, retries: Retries = QUICK) -> Means:
        return Means(self.book, self.raise_finding, self.metrics, retries)

    @asynccontextmanager
    async def running(self, settings: IntegrationSettings, *, deliver: bool = True) -> AsyncIterator[str]:
        """A console with these integrations; its address."""
        parts = Parts(settings, self.desk, self.http, self.means(settings.retries))
        tasks = [asyncio.ensure_future(work()) for work in parts.work] if deliver else []
        try:
            async with served(parts.routes) as url:
                yield url
        finally:
            await parts.stop()
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == []


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with session() as http:
        yield Stage(http)


@asynccontextmanager
async def served(routes: list[Route]) -> AsyncIterator[str]:
    """Routes on a free port of loopback."""
    app = Starlette(routes=list(routes))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve([listening]))
        try:
            while not server.started:
                await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


async def until(fact: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until `fact` holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.01)
