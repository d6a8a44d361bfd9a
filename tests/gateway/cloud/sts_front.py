"""STS on loopback: moto answers.

What stands before it remembers what was asked, checks each signature as AWS does, and can be made to refuse, to fail,
to wait or to live at another time."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.gateway.cloud import signature

Behaviour = Callable[[dict[str, str]], Awaitable[web.Response | None]]
SKEW_SECONDS_MAX = 300.0


@dataclass
class StsFront:
    """`secrets`: by access key. `asked`: the parameters of each question, `Action` among them. `now` is its time."""

    moto: str
    url: str = ""
    secrets: dict[str, str] = field(default_factory=lambda: {"AKIABASE": "base-secret"})
    asked: list[dict[str, str]] = field(default_factory=list)
    behave: Behaviour | None = None
    now: Callable[[], float] = time.time

    @property
    def actions(self) -> list[str]:
        return [asked["Action"] for asked in self.asked]

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        text = body.decode() if request.method == "POST" else request.url.raw_query_string
        asked = dict(parse_qsl(text))
        self.asked.append(asked)
        answered = await self.behave(asked) if self.behave else None
        answered = answered or self._judged(request, asked, body) or await self._by_moto(request, body)
        answered.headers["Date"] = format_datetime(datetime.fromtimestamp(self.now(), UTC), usegmt=True)
        return answered

    def _judged(self, request: web.Request, asked: dict[str, str], body: bytes) -> web.Response | None:
        if asked["Action"] == "AssumeRoleWithWebIdentity":
            return refusal("InvalidAction") if "Authorization" in request.headers else None
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, query = request.raw_path.partition("?")[::2]
        date = headers.get("x-amz-date") or asked["X-Amz-Date"]
        credential = re.search(r"Credential=([^/]+)/", headers.get("authorization", ""))
        key = credential[1] if credential else asked["X-Amz-Credential"].split("/")[0]
        secret = self.secrets.get(key)
        if secret is None:
            return refusal("InvalidClientTokenId")
        if "authorization" in headers:
            good = signature.by_header(secret, request.method, path, query, headers, body)
        else:
            good = signature.by_query(secret, request.method, path, query, headers)
        at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        if abs(at - self.now()) > SKEW_SECONDS_MAX:
            return refusal("SignatureDoesNotMatch", "Signature expired: it is now later than that")
        return None if good else refusal("SignatureDoesNotMatch")

    async def _by_moto(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        if "X-Amz-Credential" in request.query:  # moto finds a service, and who asks, by this header alone
            headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={request.query['X-Amz-Credential']}, "
        url = self.moto + request.raw_path
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=body, headers=headers) as response,
        ):
            text = await response.text()
        keys = re.search(r"<AccessKeyId>(.*?)</AccessKeyId>", text)
        secret = re.search(r"<SecretAccessKey>(.*?)</SecretAccessKey>", text)
        if keys and secret:
            self.secrets[keys[1]] = secret[1]
        return web.Response(status=response.status, text=text, content_type="text/xml")


def refusal(code: str, message: str = "not you", status: int = 403) -> web.Response:
    """An error as STS says it."""
    text = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
    return web.Response(status=status, text=text, content_type="text/xml")


@asynccontextmanager
async def sts_front(moto: str) -> AsyncIterator[StsFront]:
    """STS that listens on a free port."""
    front = StsFront(moto)
    app = web.Application()
    app.router.add_route("*", "/", front.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        front.url = f"http://{host}:{port}"
        yield front
    finally:
        await runner.cleanup()
