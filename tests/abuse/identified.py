"""A gateway that asks who calls: a provider's keys in a file, tokens for anybody."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn

from gateway.app import Gateway, http_config
from gateway.settings import Connection, GatewaySettings, IdentitySettings, Issuer
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import KEY, Served
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
    settings = GatewaySettings("127.0.0.1", 0, connections, masking_key=KEY, identity=identity)
    gateway = Gateway(settings, kafka)
    listening = socket.create_server(("127.0.0.1", 0))
    config = http_config(gateway)
    config.loop = "none"
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        async with asyncio.timeout(30):
            while gateway.fault:
                await asyncio.sleep(0.01)
        yield Served(gateway, listening.getsockname()[1])
    finally:
        await gateway.endpoint.stop(1.0)
        server.should_exit = True
        await task
        listening.close()
