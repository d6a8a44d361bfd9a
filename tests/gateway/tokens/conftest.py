"""A token endpoint with real parts: an identity that trusts a provider's keys, a broker, the routes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from gateway.edge.announce import Announcer
from gateway.edge.control import Control
from gateway.edge.identity import Identity
from gateway.edge.tokens import SessionTokenIssuer, TokenEndpoint
from gateway.sessions import Principal
from gateway.settings import IdentitySettings, Issuer, SessionTokens
from schemas.kafka import KafkaAddress, ensure_topics
from tests.gateway.control.people import announcing, reading
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.support.topics import acts

PUBLIC_URL = "https://gate.example.com"
PROVIDER = "https://id.example.com"
SEED = bytes(range(32))
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
async def address(broker: str) -> KafkaAddress:
    """The shared broker, with all topics."""
    address = KafkaAddress(broker, embedded=True)
    await ensure_topics(address)
    return address


@dataclass
class Desk:
    """Where tokens are exchanged, and who asks: a subject that no other test knows."""

    kafka: KafkaAddress
    identity: Identity
    issuer: SessionTokenIssuer
    control: Control
    announcer: Announcer
    http: httpx.AsyncClient
    mint: Mint
    subject: str

    def subject_token(self, **claims: Any) -> str:
        """A token of the provider, good for an hour."""
        now = int(time.time())
        times = {"iat": now, "exp": now + 3_600, "jti": str(uuid4())}
        return self.mint.token(**{"sub": self.subject, **times, **claims})

    async def ask(self, token: str = "", **form: str | None) -> httpx.Response:
        """A request for a session token on `demo`; a parameter given as None is left out."""
        usual: dict[str, str | None] = {
            "grant_type": GRANT,
            "subject_token": token or self.subject_token(),
            "subject_token_type": ACCESS_TOKEN,
            "audience": "demo",
        }
        sent = {name: value for name, value in (usual | form).items() if value is not None}
        return await self.http.post("/token", data=sent)

    async def given(self, token: str = "", **form: str | None) -> str:
        """A session token."""
        answer = await self.ask(token, **form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def recorded(self, subject: str | None = None) -> list[dict[str, Any]]:
        """The acts of the subject, in order, with their detail decoded."""
        mine = self.subject if subject is None else subject
        found = await acts(self.kafka.bootstrap, lambda record: record["actor_subject"] == mine)
        return [{**record, "detail": json.loads(record["detail"])} for record in found]


def may_use(principal: Principal, connection: str) -> bool:
    """The group sre may use `demo` and `other`."""
    return connection in ("demo", "other") and "sre" in principal.groups


@asynccontextmanager
async def open_desk(
    kafka: KafkaAddress, folder: Path, *, deadline_seconds: float = 5.0, **settings: Any
) -> AsyncIterator[Desk]:
    """A desk whose parts are ready."""
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))), encoding="utf-8")
    issuer = SessionTokenIssuer(SessionTokens(SEED, **settings), PUBLIC_URL)
    provider = Issuer("people", PROVIDER, audiences=("gate",), jwks_file=keys)
    identity = Identity(IdentitySettings("oidc", PUBLIC_URL, (provider,)), issuer)
    identity.start()
    async with reading(kafka) as control, announcing(kafka, deadline_seconds) as announcer:
        async with asyncio.timeout(30):
            while not (identity.ready and announcer.ready):
                await asyncio.sleep(0.01)
        endpoint = TokenEndpoint(
            identity=identity, issuer=issuer, control=control, announcer=announcer, may_use=may_use
        )
        transport = httpx.ASGITransport(Starlette(routes=endpoint.routes()))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
            mint = Mint(PROVIDER, "gate")
            yield Desk(kafka, identity, issuer, control, announcer, http, mint, f"alice-{uuid4()}")
    await identity.stop()


@pytest.fixture
async def desk(address: KafkaAddress, tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk on the shared broker."""
    async with open_desk(address, tmp_path) as desk:
        yield desk
