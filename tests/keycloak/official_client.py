"""The official MCP client, given nothing but the gateway's URL and a person who can log in.

It finds the provider through the gateway's 401 (RFC 9728), registers itself there (RFC 7591), sends the person to
the login page, and comes back with a token.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from tests.keycloak.browser import logged_in

CALLBACK = "http://127.0.0.1:1/callback"


class Memory:
    """What the client keeps: its registration and its tokens."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens of the last login."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """After a login."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Its registration."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """After it registered."""
        self.client = client_info


class Person:
    """Somebody at a browser; `logins` counts how often they were asked."""

    def __init__(self, username: str, password: str) -> None:
        self.logins = 0
        self._answers = {"username": username, "password": password}
        self._came_back: dict[str, str] = {}

    async def goes_to(self, url: str) -> None:
        """Logs in on the page that the client opens."""
        self.logins += 1
        self._came_back = await logged_in(url, CALLBACK, self._answers)

    async def comes_back(self) -> AuthorizationCodeResult:
        """What the client's callback is called with."""
        back = self._came_back
        return AuthorizationCodeResult(code=back["code"], state=back.get("state"), iss=back.get("iss"))


@asynccontextmanager
async def official_client(url: str, person: Person, memory: Memory, **more: Any) -> AsyncIterator[Client]:
    """The client, connected to `url` as `person`."""
    metadata = OAuthClientMetadata(
        client_name="an agent", redirect_uris=[AnyUrl(CALLBACK)], token_endpoint_auth_method="none"
    )
    provider = OAuthClientProvider(url, metadata, memory, person.goes_to, person.comes_back)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), read_timeout_seconds=30, **more) as client,
    ):
        yield client
