"""`/health`: whether the pipeline works, and how far behind each part is. What cannot be asked is `not known`."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.pages.health_kafka import KafkaHealth, ask_kafka
from console.web.pages.health_parts import PartHealth, ask_parts
from console.web.site import Site
from console.web.viewer import Role
from sinks.clickhouse import StoreAwayError
from sinks.readers import ReadError

KEPT_SECONDS = 3.0  # many who look at once ask the parts once
LOOKS = (Role.VIEWER, Role.AUDITOR, Role.ADMIN)


def routes(site: Site) -> list[BaseRoute]:
    """One page."""
    return [Route("/health", HealthPage(site).show, methods=["GET"])]


class HealthPage:
    """One page."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asking = asyncio.Lock()
        self._known: tuple[list[PartHealth], KafkaHealth] | None = None
        self._asked = -KEPT_SECONDS

    async def show(self, request: Request) -> Response:
        """GET /health."""
        site = self._site
        viewer = await site.viewer(request, *LOOKS)
        parts, kafka = await self._now()
        store_fault = await self._store()
        return site.page(
            request,
            viewer,
            "health/health.html",
            parts=parts,
            kafka=kafka,
            store_fault=store_fault,
            desk_fault=site.desk.fault,
            control_fault=site.control.fault,
            verdict=verdict_of(parts, kafka, store_fault),
        )

    async def _now(self) -> tuple[list[PartHealth], KafkaHealth]:
        async with self._asking:
            if self._known is None or time.monotonic() - self._asked > KEPT_SECONDS:
                parts, kafka = await asyncio.gather(
                    ask_parts(self._site.web.parts), ask_kafka(self._site.kafka)
                )
                self._known, self._asked = (parts, kafka), time.monotonic()
            return self._known

    async def _store(self) -> str:
        """Whether the trail can be read, by the smallest question; ''."""
        try:
            await self._site.reader.finding("00000000-0000-0000-0000-000000000000")
        except (StoreAwayError, ReadError) as error:
            return str(error)
        return ""


def verdict_of(parts: list[PartHealth], kafka: KafkaHealth, store_fault: str) -> tuple[str, str]:
    """(state, one sentence). What is not known is not called well."""
    bad = [part.name for part in parts if part.state == "not ready"]
    unknown = [part.name for part in parts if part.state == "not known"]
    if kafka.fault:
        return "away", "Kafka does not answer: nothing is let through while it is away."
    if bad:
        return "not ready", f"Not ready: {', '.join(bad)}."
    if store_fault:
        return "away", "The store does not answer: recording goes on, reading waits."
    if unknown or not parts:
        return "not known", f"It is not known how these are: {', '.join(unknown) or 'all parts'}."
    return "ready", "Every part says that it is ready."
