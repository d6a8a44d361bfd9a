"""`/authorize`: a program's browser comes, the person presses a button, the browser goes back with a code.

Source: RFC 6749, 4.1; RFC 7636 (PKCE, S256 alone); RFC 9207 (`iss`).
"""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sluicegate.demo.people.clients import Client, Clients
from sluicegate.demo.people.directory import PEOPLE
from sluicegate.demo.people.errors import OAuthError
from sluicegate.demo.people.forms import Parameters, parameters, posted
from sluicegate.demo.people.grants import Code, Grants, Login
from sluicegate.demo.people.pages import back_to, login_page, told
from sluicegate.demo.people.wishes import Resources

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
STATE_CHARACTERS_MAX = 2_000


@dataclass(frozen=True)
class Authorize:
    """The login page of `issuer`."""

    issuer: str
    clients: Clients
    grants: Grants
    resources: Resources

    async def show(self, request: Request) -> Response:
        """The page, or the browser goes back with an error; where it may not be sent back, a page that says so."""
        try:
            asked = parameters(request.url.query)
            client = self.clients.get(asked.needed("client_id"))
            redirect_uri = self._redirect_uri(client, asked)
        except OAuthError as error:
            return told("This login cannot go on", error.description, 400)
        try:
            login = self._login(client, asked, redirect_uri)
        except OAuthError as error:
            said = {"error": error.error, "error_description": error.description}
            return self._back(redirect_uri, asked.get("state", ""), said)
        return login_page("/authorize", client.name, {"login": self.grants.logins.put(login)})

    async def answer(self, request: Request) -> Response:
        """The person pressed a button."""
        try:
            form = await posted(request)
        except OAuthError as error:
            return told("This login cannot go on", error.description, error.status)
        login = self.grants.logins.take(form.get("login", ""))
        person = PEOPLE.get(form.get("person", ""))
        if login is None or person is None:
            return told("This login is over", "Go back to the program and begin again.", 400)
        code = self.grants.codes.put(Code(login, person))
        return self._back(login.redirect_uri, login.state, {"code": code})

    def _redirect_uri(self, client: Client, asked: Parameters) -> str:
        wanted = asked.needed("redirect_uri")
        if not client.comes_back_to(wanted):
            raise OAuthError("invalid_request", f"{client.name} did not register this redirect_uri")
        return wanted

    def _login(self, client: Client, asked: Parameters, redirect_uri: str) -> Login:
        if asked.needed("response_type") != "code":
            raise OAuthError("unsupported_response_type", "only response_type=code is to be had")
        if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(
            asked.get("code_challenge", "")
        ):
            raise OAuthError("invalid_request", "a code_challenge with code_challenge_method=S256 is needed")
        state = asked.get("state", "")
        if len(state) > STATE_CHARACTERS_MAX:
            raise OAuthError("invalid_request", "state is too long")
        return Login(self.resources.wish(client, asked), redirect_uri, state, asked["code_challenge"])

    def _back(self, redirect_uri: str, state: str, said: dict[str, str]) -> Response:
        state = state[:STATE_CHARACTERS_MAX]
        more = urlencode({**said, **({"state": state} if state else {}), "iss": self.issuer})
        return back_to(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{more}")
