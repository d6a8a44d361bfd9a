"""Somebody at a terminal, and a gateway that trusts their provider: token endpoint, metadata, one connection."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.edge.identity import Identity, UnidentifiedError, protected_resources
from gateway.edge.tokens import SessionTokenIssuer, TokenEndpoint
from gateway.sessions import Principal
from gateway.settings import ConnectionKind, IdentitySettings, Issuer, SessionTokens
from schemas.kafka import KafkaAddress, ensure_topics
from tests.gateway.control.people import announcing, reading, until
from tests.gateway.identity.minting import jwk, jwks, rsa_key
from tests.support.certificates import Pair
from tests.support.device_provider import DeviceProvider

ROOT = Path(__file__).parents[2]
KINDS = {"demo": ConnectionKind.KUBERNETES}


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Person:
    """Somebody at a terminal, with a home of their own. `calls` are those who called the connection `demo`."""

    home: Path
    provider: DeviceProvider
    gateway: str
    issuer: SessionTokenIssuer
    calls: list[Principal] = field(default_factory=list)

    @property
    def tokens(self) -> Path:
        """Where their logins are kept."""
        return self.home / "sluicegate" / "tokens.json"

    async def run(self, *words: str, **variables: str) -> Said:
        """One command of ours."""
        return await self.program(sys.executable, "-m", "sluicegate", *words, **variables)

    async def program(self, *words: str, **variables: str) -> Said:
        """One program, by its words."""
        process = await asyncio.create_subprocess_exec(
            *words,
            cwd=ROOT,
            env={**os.environ, "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home), **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())

    async def login(self, *words: str) -> Said:
        """`sluicegate login` at the provider."""
        return await self.run("login", "--issuer", self.provider.issuer, "--gateway", self.gateway, *words)


@asynccontextmanager
async def gateway_for(
    broker: str,
    provider: DeviceProvider,
    folder: Path,
    *,
    session_tokens: bool = True,
    purpose_required: bool = True,
    tls: Pair | None = None,
) -> AsyncIterator[Person]:
    """A person, and a gateway that trusts their provider; over TLS where it has a certificate."""
    kafka = KafkaAddress(broker, embedded=True)
    await ensure_topics(kafka)
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http{'s' if tls else ''}://127.0.0.1:{listening.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        issuer = SessionTokenIssuer(SessionTokens(bytes(32), purpose_required=purpose_required), url, KINDS)
        keys = folder / "jwks.json"
        keys.write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))), encoding="utf-8")
        people = Issuer("people", provider.issuer, audiences=("gate",), jwks_file=keys)
        settings = IdentitySettings("oidc", url, (people,))
        identity = Identity(settings, issuer)
        identity.start()
        stack.push_async_callback(identity.stop)
        endpoint = TokenEndpoint(
            identity=identity,
            issuer=issuer,
            control=await stack.enter_async_context(reading(kafka)),
            announcer=await stack.enter_async_context(announcing(kafka)),
            may_use=lambda _principal, connection: connection == "demo",
        )
        await until(lambda: identity.ready, 30)
        person = Person(folder / "home", provider, url, issuer)
        person.home.mkdir(mode=0o700)
        routes = [*_metadata(settings, provider), _connection(identity, person)]
        routes += endpoint.routes() if session_tokens else []
        config = uvicorn.Config(
            Starlette(routes=routes),
            log_config=None,
            lifespan="off",
            ws="none",
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started, 30)
        yield person
        server.should_exit = True
        await serving


def _metadata(settings: IdentitySettings, provider: DeviceProvider) -> list[BaseRoute]:
    """As a gateway says it of itself; keys in a file leave the issuer out of it, so here it is put in."""
    found = protected_resources(settings, KINDS)
    documents = {
        path: json.loads(text) | {"authorization_servers": [provider.issuer]} for path, text in found.items()
    }

    async def document(request: Request) -> Response:
        return JSONResponse(documents[request.url.path])

    return [Route(path, document) for path in documents]


def _connection(identity: Identity, person: Person) -> BaseRoute:
    """What is behind the connection answers every path with its version, to whom the gateway knows."""

    async def version(request: Request) -> Response:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        try:
            person.calls.append(
                await identity.identify(headers, request.url.query, f"{person.gateway}/k8s/demo")
            )
        except UnidentifiedError as error:
            return JSONResponse({"kind": "Status", "message": error.detail, "code": 401}, 401)
        return JSONResponse({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})

    return Route("/k8s/demo/{path:path}", version)
