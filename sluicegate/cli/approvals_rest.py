"""Approvals by the console's REST API: as the person whose login is kept, or as the user at this terminal."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import aiohttp

from sluicegate.login.http import LoginError, check_url
from sluicegate.login.refresh import refreshed_login
from sluicegate.login.store import Login, Logins, tokens_file
from sluicegate.settings import Settings
from sluicegate.settings.addresses import is_loopback_host

ANSWER_BYTES_MAX = 16 * 1024 * 1024
LINE_BYTES_MAX = 1024 * 1024
PAGE = 200
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
_FEED_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=90)  # heartbeats come more often

Json = dict[str, Any]


class ConsoleError(RuntimeError):
    """The console (or gateway) says no, or does not answer. The message says what it said, or what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask, and with which token. `ca_file` vouches for it instead of the system's."""

    url: str
    token: str = field(repr=False)
    ca_file: str = ""


async def console_place(url: str, settings: Settings | None) -> Place:
    """The console at `url`: with the login that was made for it, else, on loopback, with this terminal's token.

    A token goes nowhere but where its login was made for. Raises LoginError.
    """
    url = url.rstrip("/")
    check_url(url)
    try:
        login = await _login(url)
    except LoginError as error:
        if settings is not None and (token := _terminal_token(url, settings)):
            return Place(url, token)
        raise LoginError(
            f"there is no login for {url}; run `sluicegate login --issuer NAME --gateway {url}`"
        ) from error
    return Place(url, login.access_token, login.ca_file)


async def gateway_place(url: str) -> Place:
    """The gateway at `url` ('': that of the latest login), with its login. Raises LoginError."""
    login = await _login(url.rstrip("/"))
    check_url(login.gateway)
    return Place(login.gateway.rstrip("/"), login.access_token, login.ca_file)


async def _login(url: str) -> Login:
    logins = Logins(tokens_file())
    with logins.locked():
        return await refreshed_login(logins, logins.find("", url))


def _terminal_token(url: str, settings: Settings) -> str:
    """The token of a console of ours without identity; '' when there is none, or it is not for that address."""
    from sluicegate.settings.console import console_settings  # noqa: PLC0415

    file = console_settings(settings).token_file
    ours = settings.identity.mode == "none" and is_loopback_host(urlsplit(url).hostname or "")
    try:
        return file.read_text("ascii").strip() if ours and file is not None else ""
    except OSError:
        return ""


class Rest:
    """One place's API. Use as `async with`. Every call raises ConsoleError."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Rest":
        import ssl  # noqa: PLC0415

        context = ssl.create_default_context(cafile=self._place.ca_file or None)
        headers = {"Authorization": f"Bearer {self._place.token}"} if self._place.token else {}
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context), timeout=_TIMEOUT, headers=headers, trust_env=True
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._http is not None
        await self._http.close()

    async def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """The JSON object that comes back; {} for none."""
        assert self._http is not None
        try:
            async with self._http.request(
                method, self._place.url + path, json=body, allow_redirects=False
            ) as response:
                content = await _content(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConsoleError(f"{self._place.url} does not answer: {_why(error)}") from error
        if response.status >= 300:
            raise ConsoleError(_said(self._place.url, response.status, content))
        return content

    async def approvals(self, query: Mapping[str, str] | str = "") -> list[Json]:
        """All approvals that fit, the latest first."""
        text = query if isinstance(query, str) else "&".join(f"{n}={quote(v)}" for n, v in query.items())
        found: list[Json] = []
        after = ""
        while True:
            page = await self.ask("GET", f"/api/approvals?limit={PAGE}&{text}{after}".rstrip("&"))
            found += page["approvals"]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    async def decide(self, approval_id: str, verb: str, comment: str) -> Json:
        """The approval after it; what is approved is the call that the console shows now."""
        shown = await self.ask("GET", f"/api/approvals/{approval_id}")
        body = {"verb": verb, "comment": comment, "digest": shown["digest"]}
        return await self.ask("POST", f"/api/approvals/{approval_id}/decision", body)

    async def changes(self) -> AsyncIterator[Json]:
        """Every change that one may see, until the console ends the feed."""
        assert self._http is not None
        url = self._place.url + "/api/approvals/events"
        try:
            async with self._http.get(
                url, timeout=_FEED_TIMEOUT, allow_redirects=False, max_line_size=LINE_BYTES_MAX
            ) as response:
                if response.status != 200:
                    raise ConsoleError(_said(self._place.url, response.status, await _content(response)))
                async for line in _lines(response.content):
                    if line.startswith(b"data: "):
                        yield cast("Json", json.loads(line[6:]))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ConsoleError(f"the feed of {self._place.url} broke off: {_why(error)}") from error


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length up to a bound. Raises ValueError beyond it."""
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
        if len(rest) > LINE_BYTES_MAX:
            raise ValueError("a line is too long")


async def _content(response: aiohttp.ClientResponse) -> Json:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise ConsoleError("the answer is too large; is the address right?")
    try:
        found = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConsoleError(f"the answer (status {response.status}) is no JSON object; is the address right?")
    return found


def _said(url: str, status: int, content: Json) -> str:
    """The words of a console (RFC 9457) or of a gateway."""
    text = content.get("detail") or content.get("message") or f"status {status}"
    if status == 409:
        return f"it does not count: {text}"
    advice = f"; run `sluicegate login --issuer NAME --gateway {url}` again" if status == 401 else ""
    return f"{url} says no: {text}{advice}"


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def config_settings(file: Path) -> Settings | None:
    """The configuration; None where there is none, which a person with a login needs not have."""
    from sluicegate.cli.options import settings_of  # noqa: PLC0415

    return settings_of(file) if file.exists() else None
