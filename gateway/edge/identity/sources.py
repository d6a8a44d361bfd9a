"""Where an issuer's keys are read: its discovery document (OpenID Connect Discovery 1.0, RFC 8414), a URL, a file."""

import asyncio
import os
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from yarl import URL

from gateway.edge.identity.addresses import LOOPBACK_NAMES, Reach, expected_at
from gateway.edge.identity.fetch import DOCUMENT_BYTES_MAX, Fetched, FetchError, fetch_object, origin_of
from gateway.edge.identity.strictjson import strict_object
from gateway.settings import Issuer

FILE_LOOK_SECONDS = 1.0


class KeySource(Protocol):
    """One place of keys."""

    @property
    def every_seconds(self) -> float:
        """How often it is read."""
        ...

    async def read(self) -> dict[str, Any]:
        """The JWKS document as it is now. Raises FetchError."""
        ...


def source_of(issuer: Issuer) -> KeySource:
    """The place that the settings of `issuer` name. Raises FetchError when they name one that may not be used."""
    if issuer.jwks_file is not None:
        return FileKeys(issuer.jwks_file)
    if issuer.jwks_url is not None:
        return UrlKeys(issuer, issuer.jwks_url)
    return DiscoveredKeys(issuer)


class UrlKeys:
    """Keys at the URL that the operator names."""

    def __init__(self, issuer: Issuer, url: str) -> None:
        origin_of(url, loopback_http=True)
        self.every_seconds = issuer.keys_fresh_seconds
        self._url, self._ca_file = url, issuer.ca_file

    async def read(self) -> dict[str, Any]:
        """The JWKS document. Raises FetchError."""
        return (await fetch_object(self._url, _named(self._url), self._ca_file)).document


class DiscoveredKeys:
    """Keys where the issuer's own metadata says, if that is a place of the issuer."""

    def __init__(self, issuer: Issuer) -> None:
        self.every_seconds = issuer.keys_fresh_seconds
        self._issuer, self._ca_file = issuer.issuer, issuer.ca_file
        origin_of(issuer.issuer, loopback_http=True)
        self._local = URL(issuer.issuer).host in LOOPBACK_NAMES
        own = [issuer.issuer, *issuer.origins]
        self._origins = frozenset(origin_of(url, loopback_http=self._local) for url in own)

    async def read(self) -> dict[str, Any]:
        """The JWKS document. Raises FetchError."""
        metadata = await self._metadata()
        url = metadata.document.get("jwks_uri")
        if metadata.document.get("issuer") != self._issuer:
            raise FetchError(f"the metadata of {self._issuer} names another issuer")
        if not isinstance(url, str) or origin_of(url, loopback_http=self._local) not in self._origins:
            raise FetchError(
                f"the metadata of {self._issuer} puts its keys at another origin ({url!r}): "
                "list that origin in the issuer's `origins` if it is the provider's"
            )
        return (await fetch_object(url, metadata.reach, self._ca_file)).document

    async def _metadata(self) -> Fetched:
        """The first form of the address that the provider knows."""
        missing = None
        for url in metadata_urls(self._issuer):
            try:
                return await fetch_object(url, _named(url), self._ca_file)
            except FetchError as error:
                if not 400 <= error.status < 500:
                    raise
                missing = missing or error
        raise missing or FetchError(f"{self._issuer} has no metadata")


class FileKeys:
    """Keys in a file of this machine, read again when it changes."""

    every_seconds = FILE_LOOK_SECONDS

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._document: dict[str, Any] = {}

    async def read(self) -> dict[str, Any]:
        """The JWKS document. Raises FetchError."""
        try:
            return await asyncio.to_thread(self._read)
        except (OSError, ValueError) as error:
            raise FetchError(f"{self._path} cannot be used as a JWKS file ({error})") from error

    def _read(self) -> dict[str, Any]:
        with self._path.open("rb") as file:
            stat = os.fstat(file.fileno())
            version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if version != self._seen:
                if stat.st_size > DOCUMENT_BYTES_MAX:
                    raise ValueError(f"larger than {DOCUMENT_BYTES_MAX} bytes")
                self._document, self._seen = strict_object(file.read(DOCUMENT_BYTES_MAX)), version
        return self._document


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Where an issuer's metadata lies: behind its path (OpenID Connect), before its path (RFC 8414, 3.1)."""
    base = issuer.rstrip("/")
    parts = urlsplit(base)
    before = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path}"
    return f"{base}/.well-known/openid-configuration", before


def _named(url: str) -> frozenset[Reach]:
    return expected_at(URL(url).host or "")
