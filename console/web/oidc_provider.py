"""The provider's side of a login: where it sends people, and what it gives for a code."""

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import aiohttp
from yarl import URL

from console.integrations.secrets import Secrets
from console.web.settings import OidcLogin
from gateway.edge.credentials.injector import CredentialError
from gateway.edge.identity.addresses import LOOPBACK_NAMES, expected_at
from gateway.edge.identity.fetch import FetchError, fetch_object, origin_of
from gateway.edge.identity.sources import metadata_urls
from gateway.edge.identity.strictjson import strict_object
from gateway.settings import Issuer

FRESH_SECONDS = 3_600.0
ANSWER_BYTES_MAX = 256 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)


class ProviderAwayError(Exception):
    """The provider cannot be asked now, or says what cannot be used; the text says which."""


class RefusedError(Exception):
    """The provider gave nothing for the code; the text says what it said."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is spoken to (OpenID Connect Discovery 1.0, 3)."""

    authorize: str
    token: str
    by_post: bool  # the client's secret goes into the form, where the provider does not take it in a header


class OidcProvider:
    """One provider as one client of it."""

    def __init__(
        self, login: OidcLogin, issuer: Issuer, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._login, self._issuer, self._monotonic = login, issuer, monotonic
        self._secret = Secrets("web.login", [login.client_secret]) if login.client_secret else None
        self._known: tuple[Endpoints, float] | None = None

    async def endpoints(self) -> Endpoints:
        """Read anew each hour. Raises ProviderAwayError."""
        if self._known and self._monotonic() < self._known[1]:
            return self._known[0]
        try:
            found = self._endpoints(await self._metadata())
        except FetchError as error:
            raise ProviderAwayError(str(error)) from error
        self._known = found, self._monotonic() + FRESH_SECONDS
        return found

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for a code (OpenID Connect Core 1.0, 3.1.3). Raises ProviderAwayError, RefusedError."""
        endpoints = await self.endpoints()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self._login.client_id,
        }
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            self._prove(endpoints, form, headers)
            answer = await self._post(endpoints.token, form, headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, CredentialError) as error:
            raise ProviderAwayError(f"its token endpoint: {type(error).__name__}: {error}") from error
        token = answer.get("id_token")
        if not isinstance(token, str):
            said = answer.get("error")
            raise RefusedError(said if isinstance(said, str) else "it gave no ID token")
        return token

    def _prove(self, endpoints: Endpoints, form: dict[str, str], headers: dict[str, str]) -> None:
        """Puts the client's secret where the provider wants it (RFC 6749, 2.3.1)."""
        if self._secret is None:
            return
        secret = self._secret.text()
        if endpoints.by_post:
            form["client_secret"] = secret
            return
        pair = f"{quote_plus(self._login.client_id)}:{quote_plus(secret)}"
        headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode("ascii")

    async def _post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        context: ssl.SSLContext | bool = True
        if url.startswith("https:"):
            context = await asyncio.to_thread(ssl.create_default_context, cafile=self._issuer.ca_file)
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context),
                timeout=TIMEOUT,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as http,
            http.post(url, data=dict(form), headers=dict(headers), allow_redirects=False) as response,
        ):
            body = await response.content.read(ANSWER_BYTES_MAX)
            if response.status not in (200, 400, 401) or not response.content.at_eof():
                raise ValueError(f"it answered {response.status}")
            return strict_object(body)

    async def _metadata(self) -> dict[str, Any]:
        """Raises FetchError."""
        url = metadata_urls(self._issuer.issuer)[0]
        found = await fetch_object(url, expected_at(URL(url).host or ""), self._issuer.ca_file)
        if found.document.get("issuer") != self._issuer.issuer:
            raise FetchError(f"the metadata of {self._issuer.issuer} names another issuer")
        return found.document

    def _endpoints(self, document: Mapping[str, Any]) -> Endpoints:
        """Raises FetchError for a place that is not https (http where the issuer itself is on loopback)."""
        local = URL(self._issuer.issuer).host in LOOPBACK_NAMES
        urls = [str(document.get(name, "")) for name in ("authorization_endpoint", "token_endpoint")]
        for url in urls:
            origin_of(url, loopback_http=local)
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_post = "client_secret_basic" not in methods and "client_secret_post" in methods
        return Endpoints(urls[0], urls[1], by_post)
