"""Requests that vendors make to us: read whole and bounded, and answered without telling more than needed."""

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from console.integrations.metrics import Metrics
from console.integrations.signing import Unauthentic

BODY_BYTES_MAX = 512 * 1024

log = structlog.get_logger("integrations")


class TooLong(Exception):  # noqa: N818 (a state of what came, not a fault of ours)
    """The body is longer than anything that a vendor sends."""


async def body_of(request: Request) -> bytes:
    """The whole body. Raises TooLong, ClientDisconnect."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise TooLong
    return bytes(body)


def refused(metrics: Metrics, integration: str, error: Exception, status: int = 400) -> Response:
    """The answer to what is not authentic (`status` 401 or 403) or cannot be read; it is counted and logged."""
    metrics.heard.labels(integration, "unauthentic" if status in (401, 403) else "unreadable").inc()
    log.warning("callback_refused", integration=integration, reason=str(error) or type(error).__name__)
    return JSONResponse({"error": _text(error)}, status)


def _text(error: Exception) -> str:
    if isinstance(error, Unauthentic):
        return str(error)
    return "too long" if isinstance(error, TooLong | ClientDisconnect) else "cannot be read"
