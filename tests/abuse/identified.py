"""A gateway that asks who calls: a provider's keys in a file, tokens for anybody."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.settings import Connection, IdentitySettings, Issuer
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Served, served
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key

PROVIDER = "https://id.example.com"


def bearer(subject: str, *groups: str) -> str:
    """The Authorization header of somebody."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "sub": subject,
        "groups": list(groups),
        "iat": now,
        "exp": now + 3_600,
        "jti": str(uuid4()),
    }
    return f"Bearer {Mint(PROVIDER, 'gate').token(**claims)}"


@asynccontextmanager
async def identified(kafka: KafkaAddress, folder: Path, *connections: Connection) -> AsyncIterator[Served]:
    """Runs it until the block ends."""
    keys = folder / "jwks.json"
    keys.write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))), encoding="utf-8")
    issuer = Issuer("people", PROVIDER, audiences=("gate",), jwks_file=keys)
    identity = IdentitySettings("oidc", "http://127.0.0.1:1", (issuer,))
    async with served(kafka, *connections, deadline_seconds=5.0, identity=identity) as gate:
        yield gate
