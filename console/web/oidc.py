"""Login by OpenID Connect: the authorization code flow with PKCE (RFC 7636), state and nonce, and RFC 9207's `iss`.

The ID token is verified by the very code that verifies agents' tokens: keys, algorithms, audience, times.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.directory import Person
from console.web.attempts import LIFE_SECONDS, Attempt, Attempts
from console.web.entry import Entry
from console.web.failures import Refusal
from console.web.oidc_provider import OidcProvider, ProviderAwayError, RefusedError
from console.web.people import People
from console.web.settings import OidcLogin
from console.web.site import Site, safe_path
from gateway.edge.identity import Identity, TokenError
from gateway.edge.identity.claims import audiences
from gateway.edge.identity.compact import parse
from gateway.settings import IdentitySettings, Issuer

KIND, CALLBACK = "oidc", "/login/callback"
AGAIN = "Go back to the console, and begin the login again."


class OidcDoor:
    """Two routes; `start` before use. `issuer` is that of `login`."""

    def __init__(self, site: Site, entry: Entry, people: People, login: OidcLogin, issuer: Issuer) -> None:
        self._site, self._entry, self._people, self._login = site, entry, people, login
        self._issuer = issuer
        self._public = site.settings.identity.public_url.rstrip("/")
        self._attempts = Attempts()
        self._provider = OidcProvider(login, issuer)
        of_login = replace(
            issuer, audiences=(login.client_id,), id_tokens=True, types=("JWT", ""), scopes_required=()
        )
        self._identity = Identity(IdentitySettings("oidc", self._public, (of_login,)))

    def start(self) -> None:
        """Begins to read the provider's keys, in the running loop."""
        self._identity.start()

    async def stop(self) -> None:
        """Ends that."""
        await self._identity.stop()

    def routes(self) -> list[BaseRoute]:
        """Where a login begins and ends."""
        return [
            Route("/login/oidc", self.begin, methods=["GET"]),
            Route(CALLBACK, self.finish, methods=["GET"]),
        ]

    async def begin(self, request: Request) -> Response:
        """GET /login/oidc: the browser goes to the provider."""
        self._entry.slow_down(request)
        try:
            endpoints = await self._provider.endpoints()
        except ProviderAwayError as error:
            raise _away(self._login.issuer, error) from error
        attempt = self._attempts.begin(KIND, safe_path(request.query_params.get("next", "/")))
        asked = {
            "response_type": "code",
            "client_id": self._login.client_id,
            "redirect_uri": self._public + CALLBACK,
            "scope": " ".join(self._login.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge_of(attempt.verifier),
            "code_challenge_method": "S256",
        }
        between = "&" if "?" in endpoints.authorize else "?"
        response = self._site.elsewhere(f"{endpoints.authorize}{between}{urlencode(asked)}")
        cookies = self._site.cookies
        cookies.write(response, cookies.attempt, self._attempts.seal(attempt), LIFE_SECONDS)
        return response

    async def finish(self, request: Request) -> Response:
        """GET /login/callback: the browser comes back with a code, or with why there is none."""
        self._entry.slow_down(request)
        attempt, code = self._answered(request)
        try:
            token = await self._provider.redeem(code, attempt.verifier, self._public + CALLBACK)
            principal = await self._identity.verify(token, self._public)
        except (ProviderAwayError, RefusedError, TokenError) as error:
            if isinstance(error, ProviderAwayError) or _unavailable(error):
                raise _away(self._login.issuer, error) from error
            raise _refused(f"The login was not taken: {_said(error)}") from error
        claims = parse(token.encode("ascii")).claims
        self._check(claims, attempt)
        person = Person(principal.issuer, principal.subject, principal.groups)
        caller = self._people.caller(person, principal.email, principal.credential)
        name = _name(claims) or principal.email or principal.subject
        response = await self._entry.enter(request, caller, name, attempt.following, KIND)
        self._site.cookies.drop(response, self._site.cookies.attempt)
        return response

    def _answered(self, request: Request) -> tuple[Attempt, str]:
        """What this browser began, and the code. Raises Refusal."""
        given = request.query_params
        attempt = self._attempts.open(KIND, self._site.cookies.read(request, self._site.cookies.attempt))
        state = given.getlist("state")
        if attempt is None or len(state) != 1 or not _same(state[0], attempt.state):
            raise _refused("This browser did not begin this login, or too long ago.")
        if given.getlist("iss") not in ([], [self._issuer.issuer]):
            raise _refused("The answer is another provider's.")
        if given.get("error"):
            raise _refused(f"The provider said {given['error'][:100]}.")
        if len(given.getlist("code")) != 1:
            raise _refused("The provider gave no code.")
        return attempt, given["code"]

    def _check(self, claims: dict[str, Any], attempt: Attempt) -> None:
        """What binds the token to this login and this client (OpenID Connect Core 1.0, 3.1.3.7). Raises Refusal."""
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not _same(nonce, attempt.nonce):
            raise _refused("The ID token is of another login.")
        several = len(audiences(claims)) > 1
        if claims.get("azp", None if several else self._login.client_id) != self._login.client_id:
            raise _refused("The ID token was given to another client.")


def challenge_of(verifier: str) -> str:
    """S256 (RFC 7636, 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def _name(claims: dict[str, Any]) -> str:
    named = (claims.get(name) for name in ("name", "preferred_username"))
    return next((name[:200] for name in named if isinstance(name, str) and name), "")


def _said(error: Exception) -> str:
    return error.detail if isinstance(error, TokenError) else f"the provider said {str(error)[:100]}"


def _unavailable(error: Exception) -> bool:
    return isinstance(error, TokenError) and error.reason_code == "identity_unavailable"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _refused(text: str) -> Refusal:
    return Refusal(403, "You are not logged in", text, AGAIN)


def _away(name: str, error: Exception) -> Refusal:
    text = f"Nobody can log in while `{name}` does not answer: {error}"
    return Refusal(
        503, "The provider of logins is away", text, "Try again in a moment.", {"Retry-After": "5"}
    )
