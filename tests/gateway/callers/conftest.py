"""A gateway that asks who calls, a provider on loopback, and two people."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.settings import Connection, IdentitySettings, Issuer, SessionTokens
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Served, Upstream, demo, served
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import ProviderServer, provider_server
from tests.support.trail import frames_of, read_frames

PUBLIC_URL = "https://gate.example.com"
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "pods_list", "arguments": {}}}
TOKENS = SessionTokens(key=bytes(range(32)))


@dataclass
class Callers:
    """Tokens of the people that the provider knows."""

    mint: Mint

    def token(self, subject: str, *groups: str, seconds: float = 300, **claims: Any) -> str:
        """A token that is good for so long from now."""
        now = int(time.time())
        claims = {"jti": f"{subject}-{now}", "iat": now, "exp": now + seconds, **claims}
        return self.mint.token(sub=subject, groups=list(groups), **claims)

    def headers(self, subject: str, *groups: str, **claims: Any) -> dict[str, str]:
        """The headers of a request by somebody."""
        return {"Authorization": f"Bearer {self.token(subject, *groups, **claims)}"}


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    """A provider with one RSA key."""
    async with provider_server() as server:
        server.publish(jwks(jwk(rsa_key(), "k1")))
        yield server


@pytest.fixture
def callers(provider: ProviderServer) -> Callers:
    """Alice, Bob and whoever a test needs."""
    return Callers(Mint(provider.issuer, "gate"))


@pytest.fixture
def identity(provider: ProviderServer) -> IdentitySettings:
    """Trusts the provider, gives session tokens."""
    issuer = Issuer(name="people", issuer=provider.issuer, audiences=("gate",), leeway_seconds=0)
    return IdentitySettings("oidc", PUBLIC_URL, (issuer,), TOKENS)


Open = Callable[..., AbstractAsyncContextManager["Desk"]]


@dataclass
class Desk:
    """The gateway, its upstream, and what is asked of both."""

    gate: Served
    upstream: Upstream
    kafka: KafkaAddress
    client: aiohttp.ClientSession

    async def ask(
        self, headers: dict[str, str], body: object = CALL, connection: str = "demo"
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of an answer."""
        async with self.client.post(self.gate.url(connection), json=body, headers=headers) as response:
            text = await response.text()
            return response.status, dict(response.headers), json.loads(text) if text else None

    async def last_frames(self, frames: int = 1) -> list[FrameRecorded]:
        """The frames of the exchange that was recorded last."""
        recorded = await read_frames(self.kafka.bootstrap)
        newest = max(recorded, key=lambda each: each.frame["recorded_at"])
        return await frames_of(self.kafka.bootstrap, str(newest.frame["exchange_id"]), until=frames)


@pytest.fixture
def desk(kafka: KafkaAddress, upstream: Upstream, identity: IdentitySettings) -> Open:
    """Opens a gateway before `upstream`, with a connection `demo` as the test changes it."""

    @asynccontextmanager
    async def opened(*more: Connection, **changes: Any) -> AsyncIterator[Desk]:
        connection = replace(demo(upstream), **changes)
        async with (
            served(kafka, connection, *more, identity=identity) as gate,
            aiohttp.ClientSession() as client,
        ):
            yield Desk(gate, upstream, kafka, client)

    return opened


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a policy file."""

    def written(text: str) -> Path:
        file = tmp_path / "policy.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return written
