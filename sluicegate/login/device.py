"""The device flow: a code is shown, the person confirms it in a browser anywhere, we ask until the token is there.

Source: RFC 8628; discovery: OpenID Connect Discovery 1.0, 4 and RFC 8414, 3.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sluicegate.login.http import Answer, AwayError, LoggedOutError, LoginError, OAuthClient, check_url

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL_SECONDS = 5.0  # 3.2: where the server names none
_SLOWER_SECONDS = 5.0  # 3.5
_SECONDS_MAX = 1_800.0

Sleep = Callable[[float], Awaitable[None]]
Show = Callable[["Asked"], None]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an issuer is asked; `device` is '' where it has no device flow."""

    issuer: str
    token: str
    device: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person is to do: open `url` and confirm `code`. `url_with_code` saves typing, '' for none."""

    url: str
    code: str
    url_with_code: str


@dataclass(frozen=True, slots=True)
class Given:
    """Tokens of an issuer. `expires_at` is Unix seconds; `refresh_token` is '' where none was given."""

    access_token: str
    expires_at: float
    refresh_token: str

    def __repr__(self) -> str:
        return f"Given(expires_at={self.expires_at})"


async def discover(http: OAuthClient, issuer: str) -> Endpoints:
    """The issuer's endpoints. Raises LoginError."""
    fault: LoginError | None = None
    for url in _documents(issuer):
        try:
            answer = await http.get(url)
        except LoginError as exc:
            fault = fault or exc
            continue
        if answer.status == 200:
            return _endpoints(answer, issuer)
    raise fault or LoginError(f"{issuer} has no discovery document; is it the issuer's URL?")


def _documents(issuer: str) -> tuple[str, str]:
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )


def _endpoints(answer: Answer, issuer: str) -> Endpoints:
    if answer.text("issuer") != issuer:
        raise LoginError(
            f"the discovery document at {issuer} is of another issuer; write its URL to the letter"
        )
    found = Endpoints(issuer, answer.text("token_endpoint"), answer.text("device_authorization_endpoint"))
    if not found.token:
        raise LoginError(f"the issuer {issuer} names no token endpoint")
    for url in filter(None, (found.token, found.device)):
        check_url(url)
    return found


class DeviceFlow:
    """One login. `show` tells the person what to do; `sleep` waits, in seconds."""

    def __init__(
        self,
        http: OAuthClient,
        endpoints: Endpoints,
        client_id: str,
        *,
        show: Show,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._endpoints = endpoints
        self._client_id = client_id
        self._show = show
        self._sleep = sleep

    async def run(self, scope: str, resource: str = "") -> Given:
        """The tokens, once the person has confirmed. Raises LoginError."""
        if not self._endpoints.device:
            raise LoginError(
                f"the issuer {self._endpoints.issuer} has no device flow; let its operator turn it on (RFC 8628)"
            )
        form = {"client_id": self._client_id, "scope": scope, "resource": resource}
        answer = await self._http.post(self._endpoints.device, form)
        code = answer.text("device_code")
        if answer.status != 200 or not code:
            raise LoginError(
                f"the issuer does not start a login for client {self._client_id}: {answer.said()}"
            )
        self._show(_asked(answer))
        seconds = min(_number(answer, "expires_in", _SECONDS_MAX), _SECONDS_MAX)
        return await self._poll(code, _number(answer, "interval", _INTERVAL_SECONDS), seconds)

    async def _poll(self, code: str, interval: float, seconds: float) -> Given:
        waited = 0.0
        form = {"grant_type": GRANT, "device_code": code, "client_id": self._client_id}
        while waited < seconds:
            await self._sleep(interval)
            waited += interval
            try:
                answer = await self._http.post(self._endpoints.token, form)
            except AwayError:
                interval *= 2  # 3.5: time-outs are answered by asking less often
                continue
            if answer.status == 200:
                return given(answer)
            if answer.error == "slow_down":
                interval += _SLOWER_SECONDS
            elif answer.error != "authorization_pending":
                raise LoginError(_ended(answer))
        raise LoginError("nobody confirmed the code in time; run the command again")


async def refreshed(http: OAuthClient, token_endpoint: str, client_id: str, refresh_token: str) -> Given:
    """New tokens for a refresh token; the old refresh token stays where no new one comes. Raises LoginError,
    LoggedOutError where the issuer takes it no more."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client_id}
    answer = await http.post(token_endpoint, form)
    if answer.status >= 500:
        raise LoginError(f"the issuer does not refresh the login now: {answer.said()}")
    if answer.status != 200:
        raise LoggedOutError(f"the login is over ({answer.said()}); run `sluicegate login` again")
    new = given(answer)
    return new if new.refresh_token else Given(new.access_token, new.expires_at, refresh_token)


def given(answer: Answer) -> Given:
    """The tokens in an answer of a token endpoint. Raises LoginError."""
    token = answer.text("access_token")
    if not token or answer.text("token_type").lower() != "bearer":
        raise LoginError("the issuer answers without a bearer token")
    seconds = _number(answer, "expires_in", 300.0)
    return Given(token, time.time() + seconds, answer.text("refresh_token"))


def _asked(answer: Answer) -> Asked:
    asked = Asked(
        answer.text("verification_uri"), answer.text("user_code"), answer.text("verification_uri_complete")
    )
    if not asked.url or not asked.code:
        raise LoginError("the issuer gives no code to confirm")
    return asked


def _number(answer: Answer, name: str, default: float) -> float:
    value = answer.content.get(name)
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else default


def _ended(answer: Answer) -> str:
    match answer.error:
        case "access_denied":
            return "the login was declined in the browser"
        case "expired_token":
            return "nobody confirmed the code in time; run the command again"
        case _:
            return f"the issuer gives no token: {answer.said()}"
