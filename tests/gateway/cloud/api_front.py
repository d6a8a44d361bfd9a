"""An API of AWS on loopback: each request's signature is checked as AWS checks it, then moto answers."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from tests.gateway.cloud import signature

BYTES_MAX = 32 * 1024 * 1024
_BY_HAND = {"host", "content-length", "transfer-encoding", "connection"}


@dataclass
class Arrived:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ApiFront:
    """`secrets`: by access key. Without `moto` it answers 200 itself."""

    secrets: dict[str, str]
    s3: bool
    moto: str = ""
    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        came = Arrived(request.method, path, query, headers, await request.read())
        self.arrived.append(came)
        if not self._signed(came):
            return web.Response(status=403, text="<Error><Code>SignatureDoesNotMatch</Code></Error>")
        return await self._by_moto(came, request) if self.moto else web.Response(text="it is you")

    def _signed(self, came: Arrived) -> bool:
        found = re.search(r"Credential=([^/]+)/", came.headers.get("authorization", ""))
        secret = self.secrets.get(found[1]) if found else None
        return secret is not None and signature.by_header(
            secret, came.method, came.path, came.query, came.headers, came.body, s3=self.s3
        )

    async def _by_moto(self, came: Arrived, request: web.Request) -> web.Response:
        headers = CIMultiDict(pair for pair in request.headers.items() if pair[0].lower() not in _BY_HAND)
        url = aiohttp.client.URL(self.moto + request.raw_path, encoded=True)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(came.method, url, data=came.body, headers=headers) as response,
        ):
            body = await response.read()
            passed = [pair for pair in response.headers.items() if pair[0].lower() not in _BY_HAND]
        return web.Response(status=response.status, body=body, headers=CIMultiDict(passed))


@asynccontextmanager
async def api_front(secrets: dict[str, str], *, s3: bool, moto: str = "") -> AsyncIterator[ApiFront]:
    """An API that listens on a free port."""
    front = ApiFront(secrets, s3, moto)
    app = web.Application(client_max_size=BYTES_MAX)
    app.router.add_route("*", "/{path:.*}", front.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        front.url = f"http://{host}:{port}"
        yield front
    finally:
        await runner.cleanup()
