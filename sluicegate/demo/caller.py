"""Somebody for whom the agent works: logs in the way the official MCP client does, when the endpoint asks who calls.

The client finds the provider through the endpoint's 401 (RFC 9728), registers itself there (RFC 7591) and sends the
person to the login page. Without a 401 nobody logs in.
"""

from typing import Final
from urllib.parse import urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from sluicegate.demo.browser import CALLBACK, Browser
from sluicegate.demo.story import AgentError

NAME: Final = "oncall-agent"
TIMEOUT: Final = httpx2.Timeout(30.0, read=300.0)
GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"


class Memory:
    """What the client keeps between connections: its registration and its tokens."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self._client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens of the last login."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """After a login."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The registration."""
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """After the registration."""
        self._client = client_info


class Caller:
    """The person of this name, at the endpoint `url`."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self._browser = Browser(name)
        self._memory = Memory()

    @property
    def logged_in(self) -> bool:
        """Whether the endpoint asked who calls, and was told."""
        return self._memory.tokens is not None

    def http(self) -> httpx2.AsyncClient:
        """What the MCP client speaks through, as this person."""
        metadata = OAuthClientMetadata(
            client_name=NAME, redirect_uris=[AnyUrl(CALLBACK)], token_endpoint_auth_method="none"
        )
        auth = OAuthClientProvider(
            self._url, metadata, self._memory, self._browser.open, self._browser.went_back
        )
        return httpx2.AsyncClient(auth=auth, timeout=TIMEOUT)

    async def session_token(self, purpose: str) -> str:
        """A token of the gateway's own for this connection, for this purpose (RFC 8693). Raises AgentError."""
        assert self._memory.tokens is not None, "who has not logged in has nothing to exchange"
        form = {
            "grant_type": GRANT,
            "subject_token": self._memory.tokens.access_token,
            "subject_token_type": ACCESS_TOKEN,
            "resource": self._url,
            "purpose": purpose,
        }
        parts = urlsplit(self._url)
        async with httpx2.AsyncClient(timeout=TIMEOUT) as http:
            answer = await http.post(f"{parts.scheme}://{parts.netloc}/token", data=form)
        if answer.status_code != 200:
            raise AgentError(f"the gateway gave no session token: {answer.status_code} {answer.text}")
        token: str = answer.json()["access_token"]
        return token


def with_token(token: str) -> httpx2.AsyncClient:
    """What the MCP client speaks through with a token that it was given."""
    return httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)
