"""A provider of tokens on loopback: a real HTTP server that does as a test says, and remembers what it was asked."""

import asyncio
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Question:
    """One request at the token endpoint."""

    client_id: str
    secret: str
    form: dict[str, str]


@dataclass
class Provider:
    """`life` is what `expires_in` says. `behave`, when set, answers in place of a good provider."""

    url: str = ""
    life: object = 3600
    behave: Behaviour | None = None
    asked: list[Question] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self) -> None:
        """Questions wait until `may_answer` is set."""
        self.may_answer.clear()
        self.arrived.clear()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        pair = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode("ascii")
        client_id, _, secret = pair.partition(":")
        self.asked.append(Question(unquote_plus(client_id), unquote_plus(secret), form))
        self.arrived.set()
        await self.may_answer.wait()
        if self.behave:
            return await self.behave(request)
        text = f"token-{len(self.asked)}" + (
            f"-for-{form['subject_token']}" if "subject_token" in form else ""
        )
        return web.json_response({"access_token": text, "token_type": "Bearer", "expires_in": self.life})


def answering(status: int = 200, **answer: object) -> Behaviour:
    """Always this JSON."""

    async def behave(_: web.Request) -> web.StreamResponse:
        return web.json_response(answer, status=status)

    return behave


@asynccontextmanager
async def provider(tls: ssl.SSLContext | None = None) -> AsyncIterator[Provider]:
    """A provider that listens on a free port."""
    served = Provider()
    served.may_answer.set()
    app = web.Application()
    app.router.add_post("/token", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    port = runner.addresses[0][1]
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/token"
    try:
        yield served
    finally:
        served.may_answer.set()
        await runner.cleanup()
