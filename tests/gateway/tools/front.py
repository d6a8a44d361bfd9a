"""The SDK's server behind a front that refuses what it is told to, with nothing else of the gateway around it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import uvicorn
from mcp import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.frames.jsonrpc import Look, look
from gateway.policy.verdict import Verdict
from gateway.tools.denials import denied
from tests.gateway.sdk_server import sdk_server
from tests.gateway.test_official_client import ERAS

EXCHANGE_ID = "01926f00-0000-7000-8000-000000000001"
Judge = Callable[[Look], Verdict | None]


@dataclass
class Front:
    """Where it listens, and the methods it has refused."""

    judge: Judge
    upstream: str
    http: aiohttp.ClientSession
    port: int = 0
    refused: list[str] = field(default_factory=list)

    def client(self, era: str) -> Client:
        """The official client, not yet connected."""
        return Client(f"http://127.0.0.1:{self.port}/mcp", mode=ERAS[era], read_timeout_seconds=20)

    async def answer(self, request: Request) -> Response:
        """Refuses, or passes on."""
        body = await request.body()
        asked = look(body)
        if verdict := self.judge(asked):
            self.refused.append(asked.method)
            version = request.headers.get("mcp-protocol-version", "")
            status, headers, told = denied(asked, verdict, EXCHANGE_ID, body=body, version=version)
            return Response(told, status, {n.decode(): v.decode() for n, v in headers})
        return await self._passed_on(request, body)

    async def _passed_on(self, request: Request, body: bytes) -> Response:
        kept = {n: v for n, v in request.headers.items() if n not in ("host", "content-length")}
        got = await self.http.request(request.method, self.upstream, headers=kept, data=body)
        heads = {n: v for n, v in got.headers.items() if n.lower() in ("content-type", "mcp-session-id")}
        return StreamingResponse(got.content.iter_any(), got.status, heads)


@asynccontextmanager
async def fronted(judge: Judge) -> AsyncIterator[Front]:
    """Runs both on free ports."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with sdk_server() as behind, aiohttp.ClientSession(timeout=timeout) as http:
        front = Front(judge, behind.url, http)
        app = Starlette(routes=[Route("/mcp", front.answer, methods=["GET", "POST", "DELETE"])])
        with socket.create_server(("127.0.0.1", 0)) as listening:
            front.port = listening.getsockname()[1]
            config = uvicorn.Config(app, http="httptools", log_config=None, timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve([listening]))
            try:
                yield front
            finally:
                server.should_exit = True
                await task
