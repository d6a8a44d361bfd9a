"""A console on a free port of loopback, and callers with real tokens; every answer is held against the document."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import aiohttp
import uvicorn
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from console.app import Console
from console.run import Server, http_config, listen
from console.settings import ApiLimits, ConsoleSettings, DeskLimits
from gateway.settings import IdentitySettings, Issuer
from tests.console.conftest import KEYS, PEOPLE, Floor
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import ProviderServer, provider_server, until

AUDIENCE = "console"
PUBLIC_URL = "https://console.example.com"


@dataclass
class Answer:
    """What came back."""

    status: int
    content: Any
    headers: dict[str, str]


@dataclass
class Api:
    """The console, and who asks it."""

    url: str
    http: aiohttp.ClientSession
    console: Console
    mint: Mint
    called: set[str] = field(default_factory=set)
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """Of the tokens."""
        return self.mint.issuer

    def token(self, name: str, *groups: str, **claims: Any) -> str:
        """Of somebody; one of the owners unless told otherwise. Each has an id of its own."""
        now = int(time.time())
        usual = {"sub": name, "groups": list(groups or ("owners",)), "iat": now, "exp": now + 300}
        return self.mint.token(**{**usual, "jti": f"{name}-{time.time_ns()}", "email": None, **claims})

    async def ask(
        self, method: str, path: str, token: str = "", body: object = None, **headers: str
    ) -> Answer:
        """One request. The answer has the shape that the document says, or this fails."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        if token:
            named["Authorization"] = f"Bearer {token}"
        async with self.http.request(
            method, self.url + path, json=body, headers=named, allow_redirects=False
        ) as response:
            text = await response.text()
            answer = Answer(response.status, json.loads(text) if text else None, dict(response.headers))
            self._check(method, path, answer, response.content_type)
            return answer

    def _check(self, method: str, path: str, answer: Answer, content_type: str) -> None:
        found = self.operation(method, path)
        if isinstance(answer.content, dict) and "jsonrpc" in answer.content:
            assert 400 <= answer.status < 500, answer  # refused at the door, before anybody read it
            return
        if found is None:
            assert answer.status in (404, 405, 421), answer
            return
        self.called.add(found["operationId"])
        assert str(answer.status) in found["responses"], (method, path, answer)
        said = found["responses"][str(answer.status)]
        if "$ref" in said:
            said = self.document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        if "content" not in said:
            assert answer.content is None
            return
        schema = said["content"][content_type]["schema"]
        self.validator(schema).validate(answer.content)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document says of a request; paths without a variable go first, as OpenAPI has it."""
        bare = path.partition("?")[0]
        for template in sorted(self.document["paths"], key=lambda each: "{" in each):
            if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), bare):
                found = self.document["paths"][template].get(method.lower())
                return cast("dict[str, Any] | None", found)
        return None

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """With the document's components."""
        whole = {**schema, "components": self.document["components"]}
        return Draft202012Validator(whole, format_checker=FormatChecker())


@asynccontextmanager
async def served(floor: Floor, limits: ApiLimits | None = None, **changes: Any) -> AsyncIterator[Api]:
    """A console that is ready, with a provider of tokens beside it."""
    async with provider_server() as provider, aiohttp.ClientSession() as http:
        provider.publish(jwks(jwk(rsa_key(), "k1")))
        settings = replace(settings_for(provider), api=limits or ApiLimits(), **changes)
        console = Console(settings, floor.kafka)
        async with listening(console) as url:
            api = Api(url, http, console, Mint(provider.issuer, AUDIENCE))
            async with http.get(url + "/api/openapi.json") as response:
                api.document = await response.json()
            yield api


def settings_for(provider: ProviderServer) -> ConsoleSettings:
    """Of a console that trusts the provider."""
    identity = IdentitySettings(
        "oidc", PUBLIC_URL, (Issuer(name="people", issuer=provider.issuer, audiences=(AUDIENCE,)),)
    )
    return ConsoleSettings(
        KEYS,
        identity,
        port=0,
        people=PEOPLE,
        auditor_groups=("auditors",),
        revoker_groups=("security-on-call",),
        desk=DeskLimits(answer_seconds=60.0),
    )


@asynccontextmanager
async def listening(console: Console, port: int = 0) -> AsyncIterator[str]:
    """The console served on a free port (or this one) until the block ends, as `run_console` does it; its URL."""
    with listen("127.0.0.1", port) as sock:
        server: uvicorn.Server = Server(http_config(console.app(), console.settings), console)
        console.start()
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            await until(lambda: server.started and not console.fault, 60)
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.wait_for(serving, 30)
            await console.stop()
