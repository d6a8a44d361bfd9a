"""`/healthz`, `/readyz` and `/metrics`."""

import os
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


def probe_routes(fault_now: Callable[[], str]) -> list[Route]:
    """Routes that tell how the process is. `fault_now` gives what keeps it from serving, '' for nothing."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        fault = fault_now()
        if not fault:
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "fault": fault}, status_code=503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _registry() -> CollectorRegistry:
    """The metrics of this process, or of all workers together where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
