"""`/healthz`, `/readyz` and `/metrics`."""

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.edge.recorder import Recorder


def probe_routes(recorder: Recorder) -> list[Route]:
    """Routes that tell how the process is."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        if recorder.ready:
            return JSONResponse({"ready": True})
        fault = recorder.fault or "frames are not acknowledged within the deadline"
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
