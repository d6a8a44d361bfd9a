"""The demo's provider in this process, on a free port, and what programs and people do with it."""

import asyncio
import base64
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
import uvicorn

from sluicegate.demo.browser import Form
from sluicegate.demo.people.app import people_app
from tests.demo.serving import Server

RESOURCE = "http://127.0.0.1:8080/mcp/demo"
CALLBACK = "http://127.0.0.1:43117/callback"
VERIFIER = "a-verifier-of-a-program-that-is-long-enough-for-rfc-7636"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Clock:
    """Seconds since the epoch, moved by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class Provider:
    """Where it listens, its clock, and HTTP to it."""

    issuer: str
    clock: Clock
    http: httpx2.AsyncClient

    async def registered(self, *redirect_uris: str) -> str:
        """The id of a new client."""
        metadata = {"client_name": "a test", "redirect_uris": list(redirect_uris or (CALLBACK,))}
        answer = await self.http.post("/register", json=metadata)
        assert answer.status_code == 201, answer.text
        client_id: str = answer.json()["client_id"]
        return client_id

    async def authorize(self, client_id: str, **changes: str) -> httpx2.Response:
        """The login page; a parameter changed to '' is left out."""
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "state": "s t&a=te",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return await self.http.get("/authorize?" + urlencode({k: v for k, v in asked.items() if v}))

    async def log_in(self, client_id: str, person: str = "alice", **changes: str) -> dict[str, str]:
        """What the browser takes back to the program."""
        form = Form((await self.authorize(client_id, **changes)).text)
        answer = await self.http.post(form.action, data={**form.hidden, "person": person})
        assert answer.status_code == 303, answer.text
        return came_back(answer)

    async def token(self, client_id: str, **form: str) -> httpx2.Response:
        """What the token endpoint says."""
        return await self.http.post("/token", data={"client_id": client_id, **form})

    async def fetched(self, client_id: str, code: str, **changes: str) -> httpx2.Response:
        """What the token endpoint says to a code."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, **changes}
        return await self.token(client_id, **form)

    async def claims(self, token: str, audience: str = RESOURCE) -> dict[str, Any]:
        """What a token says; its signature is checked by the published keys."""
        (key,) = (await self.http.get("/jwks")).json()["keys"]
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(key),
            ["ES256"],
            audience=audience,
            issuer=self.issuer,
            options={"verify_exp": False, "verify_iat": False},
        )
        return claims


def came_back(answer: httpx2.Response) -> dict[str, str]:
    """The parameters of the address that a browser is sent to."""
    query = parse_qs(urlsplit(answer.headers["location"]).query, strict_parsing=True)
    return {name: values[0] for name, values in query.items()}


@asynccontextmanager
async def people(data_dir: Path, clock: Clock | None = None, port: int = 0) -> AsyncIterator[Provider]:
    """The provider, with its files in `data_dir`."""
    clock = clock or Clock()
    with socket.create_server(("127.0.0.1", port)) as listener:
        issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = people_app(issuer, data_dir, RESOURCE, clock)
        server = Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.accepting.wait()
            async with httpx2.AsyncClient(base_url=issuer) as http:
                yield Provider(issuer, clock, http)
        finally:
            server.should_exit = True
            await serving
