"""A server that speaks as a Kubernetes API server does to `kubectl exec`, and a gateway before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.settings import Connection, ConnectionKind
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Served, served
from tests.support.trail import read_frames

EXEC = "/api/v1/namespaces/prod/pods/web-1/exec"
QUERY = "?command=cat&container=web&stdin=true&stdout=true"
V5 = "v5.channel.k8s.io"
STDIN, STDOUT, ERROR, CLOSE = b"\x00", b"\x01", b"\x03", b"\xff"
SUCCESS = ERROR + b'{"metadata":{},"status":"Success"}'

Script = Callable[[web.WebSocketResponse], Awaitable[None]]


async def echo(socket: web.WebSocketResponse) -> None:
    """`cat`: what comes on stdin goes out on stdout; its end ends the command."""
    await socket.send_bytes(STDOUT)
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.BINARY:
            return
        if message.data == CLOSE + STDIN:
            await socket.send_bytes(SUCCESS)
            await socket.close()
            return
        await socket.send_bytes(STDOUT + message.data[1:])


@dataclass
class Cluster:
    """What the API server does, and what it has seen."""

    script: Script = echo
    protocols: tuple[str, ...] = (V5, "v4.channel.k8s.io", "SPDY/3.1+portforward.k8s.io")
    refusal: tuple[int, bytes] | None = None
    asked: list[web.Request] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Takes the WebSocket, or refuses it."""
        self.asked.append(request)
        if self.refusal is not None:
            status, body = self.refusal
            return web.Response(status=status, body=body, content_type="application/json")
        socket = web.WebSocketResponse(protocols=self.protocols, max_msg_size=0, autoping=True)
        await socket.prepare(request)
        try:
            await self.script(socket)
        finally:
            self.codes.append(socket.close_code)
            self.over.set()
        return socket


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """An API server on loopback."""
    made = Cluster()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


def kube(cluster: Cluster, **more: Any) -> Connection:
    """The connection `kube` to it."""
    return Connection(
        "kube", kind=ConnectionKind.KUBERNETES, upstream=f"http://127.0.0.1:{cluster.port}", **more
    )


def url(gate: Served, path: str = EXEC + QUERY) -> str:
    """Where a client of the gateway goes."""
    return f"http://127.0.0.1:{gate.port}/k8s/kube{path}"


@pytest.fixture
async def gate(kafka: KafkaAddress, cluster: Cluster) -> AsyncIterator[Served]:
    """A gateway before the cluster."""
    async with served(kafka, kube(cluster), deadline_seconds=3) as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client of HTTP and WebSockets."""
    async with aiohttp.ClientSession() as session:
        yield session


async def trail_of(bootstrap: str, *, outcome: str = "", seconds: float = 30) -> list[FrameRecorded]:
    """The frames of the newest exchange, in order, once one of them has an outcome that is not pending."""
    async with asyncio.timeout(seconds):
        while True:
            rows = [row.frame for row in await read_frames(bootstrap)]
            newest = max(str(row["exchange_id"]) for row in rows) if rows else ""
            frames = [row for row in rows if str(row["exchange_id"]) == newest]
            frames.sort(key=lambda frame: frame["lane_seq"])
            if any(frame["outcome"] != "pending" for frame in frames if not outcome) or any(
                frame["outcome"] == outcome for frame in frames
            ):
                return frames


def said(frames: list[FrameRecorded]) -> list[tuple[str, bytes]]:
    """Channel and body of those frames that are messages."""
    return [
        (frame["attributes"]["k8s.channel"], frame["body"])
        for frame in frames
        if "k8s.channel" in frame["attributes"]
    ]
