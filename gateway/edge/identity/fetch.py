"""One bounded GET of a JSON document: checked addresses, no redirects, no compression, no more than a limit."""

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.edge.identity.addresses import (
    LOOPBACK_NAMES,
    Address,
    AddressError,
    Reach,
    reach_of,
    resolve,
)
from gateway.edge.identity.strictjson import strict_object

DOCUMENT_BYTES_MAX = 1024 * 1024
TIMEOUT_SECONDS = 5.0


class FetchError(Exception):
    """A document could not be had. `status` is what the server answered, 0 when it did not."""

    def __init__(self, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and from where the host it came from can be reached."""

    document: dict[str, Any]
    reach: frozenset[Reach]


def origin_of(url: str, *, loopback_http: bool) -> str:
    """`scheme://host:port` of a URL that keys may come from. Raises FetchError for any other.

    Only https; with `loopback_http` also http on this host itself.
    """
    try:
        parsed = URL(url)
        host, port = parsed.host, parsed.port
    except ValueError as error:
        raise FetchError(f"{url!r} is no URL") from error
    local = loopback_http and parsed.scheme == "http" and host in LOOPBACK_NAMES
    if not host or parsed.user is not None or parsed.fragment or not (parsed.scheme == "https" or local):
        raise FetchError(f"{url!r} is not an https URL without user and fragment")
    return f"{parsed.scheme}://{host}:{port}"


async def fetch_object(url: str, allowed: frozenset[Reach], ca_file: Path | None) -> Fetched:
    """The JSON object at `url`, whose host must be at `allowed`. Raises FetchError."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _fetch(URL(url), allowed, ca_file)
    except TimeoutError as error:
        raise FetchError(f"{url} did not answer within {TIMEOUT_SECONDS:g} s") from error
    except AddressError as error:
        raise FetchError(f"{url}: {error}") from error
    except (ClientError, OSError, ValueError) as error:
        raise FetchError(f"{url} could not be read ({type(error).__name__}: {error})") from error


async def _fetch(url: URL, allowed: frozenset[Reach], ca_file: Path | None) -> Fetched:
    assert url.host is not None
    assert url.port is not None
    addresses = await resolve(url.host, url.port, allowed)
    context = (
        await asyncio.to_thread(ssl.create_default_context, cafile=ca_file) if url.scheme == "https" else True
    )
    connector = TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False, ssl=context)
    timeout = ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        ClientSession(
            connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False
        ) as session,
        session.get(url, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
    ):
        document = strict_object(await _body(response))
    return Fetched(document, frozenset(map(reach_of, addresses)))


async def _body(response: ClientResponse) -> bytes:
    if response.status != 200:
        raise FetchError(f"{response.url} answered {response.status}", response.status)
    if response.content_type == "text/html" or "Content-Encoding" in response.headers:
        raise FetchError(f"{response.url} did not answer with plain JSON")
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > DOCUMENT_BYTES_MAX:
            raise FetchError(f"{response.url} answered with more than {DOCUMENT_BYTES_MAX} bytes")
    return bytes(body)


class _Pinned(AbstractResolver):
    """Gives the addresses that were checked, and asks nobody again."""

    def __init__(self, addresses: list[Address]) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:  # noqa: ARG002
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, family=_family(address), proto=0, flags=0
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Holds nothing."""


def _family(address: Address) -> int:
    return int(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
