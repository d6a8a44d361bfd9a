"""A provider of tokens on loopback: real HTTP, answers what it is told to, counts what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

METADATA, RFC8414, KEYS = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/jwks",
)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ProviderServer:
    """`documents`: path to what is answered as JSON; `answers`: path to who answers instead."""

    documents: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def issuer(self) -> str:
        """The issuer as clients name it."""
        return f"http://127.0.0.1:{self.port}"

    def publish(self, keys: dict[str, Any]) -> None:
        """Puts keys where the metadata says."""
        self.documents[METADATA] = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}{KEYS}"}
        self.documents[KEYS] = keys

    async def start(self) -> None:
        """Listens; on the same port again after `stop`."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuses connections from now on."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        if answer := self.answers.get(request.path):
            return await answer(request)
        if (document := self.documents.get(request.path)) is None:
            return web.Response(status=404)
        return web.Response(text=json.dumps(document), content_type="application/json")


@asynccontextmanager
async def provider_server() -> AsyncIterator[ProviderServer]:
    """A provider that listens for as long as the context lasts."""
    server = ProviderServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def until(fact: Callable[[], bool], seconds: float = 30.0) -> None:
    """Waits until a fact holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.005)
