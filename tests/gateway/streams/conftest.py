"""A real HTTP server behind a connection, whose answers a test writes piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from gateway.settings import Connection, ConnectionKind, Limits
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Served, served
from tests.support.trail import read_frames

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Api:
    """An API behind the gateway. `serve` is what it does with a request."""

    serve: Serve
    port: int = 0
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[Api]:
    """An API that listens."""
    api = Api(serve)

    async def handle(request: web.Request) -> web.StreamResponse:
        api.asked.append(request)
        api.bodies.append(await request.read())
        return await api.serve(request)

    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.port = runner.addresses[0][1]
    try:
        yield api
    finally:
        api.may_end.set()
        await runner.cleanup()


@asynccontextmanager
async def gate_to(
    kafka: KafkaAddress, api: Api, kind: ConnectionKind, *, limits: Limits | None = None, **more: Any
) -> AsyncIterator[tuple[Served, str]]:
    """A gateway before the API, and the URL of the connection."""
    connection = replace(
        Connection("demo", upstream=f"http://127.0.0.1:{api.port}", kind=kind, cluster="test"), **more
    )
    prefix = {ConnectionKind.HTTP: "http", ConnectionKind.KUBERNETES: "k8s"}[kind]
    async with served(kafka, connection, limits=limits, deadline_seconds=5) as gate:
        yield gate, gate.url().replace("/mcp/", f"/{prefix}/")


async def frames_at(kafka: KafkaAddress, mark: str, *, until: int) -> list[FrameRecorded]:
    """The frames of the exchange whose path holds `mark`, once there are so many."""
    async with asyncio.timeout(20):
        while True:
            rows = [row.frame for row in await read_frames(kafka.bootstrap) if mark in row.frame["http_path"]]
            if len(rows) >= until:
                return sorted(rows, key=lambda frame: (frame["lane"], frame["lane_seq"]))


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """A name that stands in the paths of this test alone."""
    return f"m{abs(hash(request.node.nodeid)) % 10**12}"
