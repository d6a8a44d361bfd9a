"""A naive pass-through, and the same with one thing broken on purpose.

The naive one shows what the least possible relay keeps; each broken one must be seen to lose checks, or the
comparison is blind. `python -m tests.conformance.passthrough --upstream URL [--breaking WHAT]`.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from benchmarks.processes import Child
from tests.conformance.fixture import serve_on_free_port

BREAKINGS = {
    "origin": "the Origin header is not passed on",
    "streaming": "an SSE response is kept back until it is complete",
    "session": "the Mcp-Session-Id of the answer is not passed on",
    "status": "every 4xx from upstream becomes 200",
    "headers": "the Mcp-* headers of a request are not passed on",
    "resumption": "SSE event ids and the Last-Event-ID header are not passed on",
}
_ONE_HOP = {
    "host",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "content-encoding",
    "date",
    "server",
}
_METHODS = ["GET", "POST", "DELETE", "OPTIONS"]


def app(upstream: str, breaking: str | None) -> Starlette:
    """An ASGI application that relays /mcp to `upstream`, breaking one thing when told to."""

    async def relay(request: Request) -> Response:
        headers = _passed_on(request, breaking)
        body = await request.body()
        answer = await request.app.state.client.request(request.method, upstream, headers=headers, data=body)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _ONE_HOP}
        status = answer.status
        if breaking == "session":
            kept.pop("mcp-session-id", None)
        if breaking == "status" and 400 <= status < 500:
            status = 200
        return StreamingResponse(_chunks(answer, breaking), status, kept)

    @contextlib.asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as client:
            application.state.client = client
            yield

    return Starlette(routes=[Route("/mcp", relay, methods=_METHODS)], lifespan=lifespan)


def _passed_on(request: Request, breaking: str | None) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name not in _ONE_HOP}
    if breaking == "origin":
        headers.pop("origin", None)
    if breaking == "resumption":
        headers.pop("last-event-id", None)
    if breaking == "headers":
        headers = {
            name: value for name, value in headers.items() if not name.startswith("mcp-") or "session" in name
        }
    return headers


async def _chunks(answer: aiohttp.ClientResponse, breaking: str | None) -> AsyncIterator[bytes]:
    async with answer:
        if breaking == "streaming":
            yield await answer.read()
            return
        async for chunk in answer.content.iter_any():
            yield re.sub(rb"(?m)^id: ?.*\r?\n", b"", chunk) if breaking == "resumption" else chunk


def child(upstream: str, breaking: str | None, log: Path) -> Child:
    """A process that serves the pass-through on a free port, said in its log as the fixture does."""
    command = [sys.executable, "-m", "tests.conformance.passthrough", "--upstream", upstream]
    return Child("pass-through", command + (["--breaking", breaking] if breaking else []), log)


def main() -> None:
    """Serve the pass-through to `--upstream`."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.passthrough", description=__doc__)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--breaking", choices=sorted(BREAKINGS))
    chosen = parser.parse_args()
    serve_on_free_port(app(chosen.upstream, chosen.breaking))


if __name__ == "__main__":
    main()
