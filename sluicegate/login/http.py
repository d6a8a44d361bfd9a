"""Forms to OAuth servers and JSON from them: bounded, no redirects, secrets over TLS or loopback alone."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp

ANSWER_BYTES_MAX = 1_000_000
_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=10)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LoginError(RuntimeError):
    """Logging in, or getting a token, did not work. The message says where and what to do."""


class LoggedOutError(LoginError):
    """Nobody is logged in there, or no longer: a person has to log in."""


class AwayError(LoginError):
    """The server did not answer; it may do so later."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object and the status it came with. With 404 it may be empty: servers say that in many ways."""

    status: int
    content: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A member that is text; '' when it is absent or anything else."""
        value = self.content.get(name)
        return value if isinstance(value, str) else ""

    @property
    def error(self) -> str:
        """The error code of RFC 6749, 5.2; '' when there is none."""
        return self.text("error")

    def said(self) -> str:
        """What the server says of an error, in one line."""
        description = self.text("error_description")
        return ": ".join(filter(None, (self.error or f"status {self.status}", description)))


class OAuthClient:
    """HTTP towards one issuer or gateway. Use as `async with`. `ca_file`, or `ca_pem`, vouches for it instead of the
    system's. Raises LoginError for certificates that cannot be read."""

    def __init__(self, ca_file: Path | None = None, ca_pem: str = "") -> None:
        try:
            self._context = ssl.create_default_context(
                cafile=str(ca_file) if ca_file else None, cadata=ca_pem or None
            )
        except (OSError, ValueError) as exc:
            where = ca_file or "those handed over"
            raise LoginError(f"the certificates that vouch for the server cannot be read: {where}") from exc
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "OAuthClient":
        connector = aiohttp.TCPConnector(ssl=self._context)
        self._http = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._http is not None
        await self._http.close()

    async def get(self, url: str) -> Answer:
        """GET. Raises LoginError, AwayError."""
        return await self._ask("GET", url, None)

    async def post(self, url: str, form: Mapping[str, str]) -> Answer:
        """A form by POST; parameters without a value are left out. Raises LoginError, AwayError."""
        return await self._ask("POST", url, {name: value for name, value in form.items() if value})

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None) -> Answer:
        check_url(url)
        assert self._http is not None
        headers = {"Accept": "application/json"}
        try:
            async with self._http.request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as response:
                body = await _body(response.content)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise AwayError(f"{_place(url)} does not answer: {_why(exc)}") from exc
        return Answer(response.status, _object(body, url, response.status))


def check_url(url: str) -> None:
    """Raises LoginError for a URL that would send secrets in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    raise LoginError(
        f"{_place(url)} is no https:// address; tokens are sent in the clear on this machine only"
    )


async def _body(content: aiohttp.StreamReader) -> bytes:
    body = b""
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise LoginError(f"the answer is larger than {ANSWER_BYTES_MAX:,} bytes; is the address right?")
    return body


def _object(body: bytes, url: str, status: int) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        if status == 404:
            return {}
        raise LoginError(f"{_place(url)} answers {status} and no JSON object; is the address right?")
    return found


def _place(url: str) -> str:
    """The URL without a query, which could hold what is not for logs."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _why(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0]
