"""An issuer with the device flow (RFC 8628) on loopback: a test says what it answers; refresh tokens hold once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.gateway.identity.minting import Mint

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class DeviceProvider:
    """What it does, to be set by a test, and what it was asked.

    `polls` are its answers to a device code, in order; the last one stays: an error code, or `confirmed`.
    """

    mint: Mint = field(default_factory=lambda: Mint("", "gate"))
    polls: list[str] = field(default_factory=lambda: ["authorization_pending", "confirmed"])
    interval: float = 0.01
    lifetime_seconds: int = 3_600
    gives_refresh_token: bool = True
    has_device_flow: bool = True
    subject: str = field(default_factory=lambda: f"alice-{uuid4()}")
    asked: list[dict[str, str]] = field(default_factory=list)
    refresh_tokens: set[str] = field(default_factory=set)
    device_codes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Its URL."""
        return self.mint.issuer

    async def discovery(self, _: web.Request) -> web.Response:
        """OpenID Connect discovery."""
        document = {"issuer": self.issuer, "token_endpoint": f"{self.issuer}/token"}
        if self.has_device_flow:
            document["device_authorization_endpoint"] = f"{self.issuer}/device"
        return web.json_response(document)

    async def device(self, request: web.Request) -> web.Response:
        """RFC 8628, 3.1 and 3.2."""
        form = await self._form(request)
        if form.get("client_id") != "sluicegate":
            return web.json_response({"error": "invalid_client"}, status=401)
        code = uuid4().hex
        self.device_codes[code] = list(self.polls)
        answer = {
            "device_code": code,
            "user_code": "BDWP-HQPK",
            "verification_uri": f"{self.issuer}/confirm",
            "verification_uri_complete": f"{self.issuer}/confirm?user_code=BDWP-HQPK",
            "expires_in": 600,
            "interval": self.interval,
        }
        return web.json_response(answer)

    async def token(self, request: web.Request) -> web.Response:
        """RFC 8628, 3.4 and 3.5; RFC 6749, 6."""
        form = await self._form(request)
        if form.get("grant_type") == DEVICE_GRANT:
            answers = self.device_codes[form["device_code"]]
            said = answers.pop(0) if len(answers) > 1 else answers[0]
            return self._tokens() if said == "confirmed" else self._error(said)
        if form.get("grant_type") != "refresh_token":
            return self._error("unsupported_grant_type")
        if form["refresh_token"] not in self.refresh_tokens:
            return self._error("invalid_grant")
        self.refresh_tokens.remove(form["refresh_token"])  # once only
        return self._tokens()

    def _tokens(self) -> web.Response:
        now = int(time.time())
        times = {"iat": now, "exp": now + self.lifetime_seconds, "jti": uuid4().hex}
        answer: dict[str, Any] = {
            "access_token": self.mint.token(sub=self.subject, **times),
            "token_type": "Bearer",
            "expires_in": self.lifetime_seconds,
        }
        if self.gives_refresh_token:
            answer["refresh_token"] = uuid4().hex
            self.refresh_tokens.add(answer["refresh_token"])
        return web.json_response(answer)

    def _error(self, code: str) -> web.Response:
        return web.json_response({"error": code, "error_description": "as the test wants it"}, status=400)

    async def _form(self, request: web.Request) -> dict[str, str]:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        return form


@asynccontextmanager
async def device_provider() -> AsyncIterator[DeviceProvider]:
    """A provider that listens."""
    provider = DeviceProvider()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", provider.discovery)
    app.router.add_post("/device", provider.device)
    app.router.add_post("/token", provider.token)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        provider.mint.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()
