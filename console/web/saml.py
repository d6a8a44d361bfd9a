"""Login by SAML 2.0: our request by redirect, the provider's response by a form, each good once.

The provider's form comes from another site, so browsers send no cookie with it. What it proves waits for a minute
under a ticket; the browser is sent on to fetch it by a plain GET, which has the cookie of who began. Nobody is
logged in by a response that another browser asked for, or that nobody asked for.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.errors import OneLogin_Saml2_Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.directory import Person
from console.web.attempts import LIFE_SECONDS, Attempts
from console.web.entry import Entry
from console.web.failures import Refusal
from console.web.forms import body_of, fields_of
from console.web.headers import page_headers
from console.web.people import People
from console.web.saml_response import (
    RESPONSE_BYTES_MAX,
    Assertion,
    Ours,
    SamlRefusedError,
    read_response,
    toolkit,
)
from console.web.settings import SamlLogin
from console.web.site import Site, safe_path

KIND = "saml"
TICKET_SECONDS, WAITING_MAX, USED_MAX = 60.0, 1_000, 100_000
FORM_BYTES_MAX = 2 * RESPONSE_BYTES_MAX  # escapes make it longer
log = structlog.get_logger("console")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An assertion that its browser has not fetched yet."""

    assertion: Assertion
    until: float


class Once:
    """What was taken, until it would be refused for its age anyway. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._until = clock, OrderedDict[str, float]()

    def take(self, name: str, until: float) -> None:
        """Raises SamlRefusedError for what was taken before, and for everything while too much is remembered."""
        now = self._clock()
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        if name in self._until:
            raise SamlRefusedError("it was used already")
        if len(self._until) >= USED_MAX:
            raise SamlRefusedError("too many people log in at once; try again in a few minutes")
        # in the order of taking: with one that lives long at its head, others are remembered for longer
        self._until[name] = max(until, now) + 2 * LIFE_SECONDS


class SamlDoor:
    """Four routes. Raises ValueError for settings that cannot be used."""

    def __init__(self, site: Site, entry: Entry, people: People, login: SamlLogin) -> None:
        self._site, self._entry, self._people, self._login = site, entry, people, login
        public = site.settings.identity.public_url.rstrip("/")
        self._ours = Ours(public, login.entity_id or f"{public}/saml/metadata")
        try:
            self._toolkit = toolkit(login, self._ours)
        except OneLogin_Saml2_Error as error:
            raise ValueError(f"web.saml cannot be used: {error}") from error
        self._attempts, self._once = Attempts(), Once()
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """Metadata, and the three steps of a login."""
        return [
            Route("/saml/metadata", self.metadata, methods=["GET"]),
            Route("/saml/login", self.begin, methods=["GET"]),
            Route("/saml/acs", self.take, methods=["POST"]),
            Route("/saml/finish", self.finish, methods=["GET"]),
        ]

    async def metadata(self, request: Request) -> Response:
        """GET /saml/metadata: who we are, for the provider's administrator."""
        del request
        headers = page_headers(tls=self._site.tls)
        content = await asyncio.to_thread(self._toolkit.get_sp_metadata)
        return Response(content, headers=headers, media_type="application/samlmetadata+xml")

    async def begin(self, request: Request) -> Response:
        """GET /saml/login: the browser goes to the provider."""
        self._entry.slow_down(request)
        asked = OneLogin_Saml2_Authn_Request(self._toolkit)
        following = safe_path(request.query_params.get("next", "/"))
        attempt = self._attempts.begin(KIND, following, state=asked.get_id())
        between = "&" if "?" in self._login.sign_in_url else "?"
        query = urlencode({"SAMLRequest": asked.get_request()})
        response = self._site.elsewhere(f"{self._login.sign_in_url}{between}{query}")
        cookies = self._site.cookies
        cookies.write(response, cookies.attempt, self._attempts.seal(attempt), LIFE_SECONDS)
        return response

    async def take(self, request: Request) -> Response:
        """POST /saml/acs: the provider's response, by a form of the provider's site."""
        self._entry.slow_down(request)
        form = fields_of(request, await body_of(request, FORM_BYTES_MAX))
        try:
            assertion = await asyncio.to_thread(
                read_response, form.get("SAMLResponse", ""), self._login, self._ours, self._toolkit
            )
            self._once.take(f"assertion {assertion.assertion_id}", assertion.until)
        except SamlRefusedError as error:
            raise _refused(error) from error
        ticket = secrets.token_urlsafe(32)
        while len(self._waiting) >= WAITING_MAX:
            self._waiting.popitem(last=False)
        self._waiting[ticket] = Waiting(assertion, time.monotonic() + TICKET_SECONDS)
        return self._site.elsewhere(f"/saml/finish?{urlencode({'ticket': ticket})}")

    async def finish(self, request: Request) -> Response:
        """GET /saml/finish: the browser that began fetches what it is."""
        waiting = self._waiting.pop(request.query_params.get("ticket", ""), None)
        attempt = self._attempts.open(KIND, self._site.cookies.read(request, self._site.cookies.attempt))
        try:
            if waiting is None or time.monotonic() >= waiting.until:
                raise SamlRefusedError("it took too long, or was fetched already")
            if attempt is None or attempt.state != waiting.assertion.request_id:
                raise SamlRefusedError("this browser did not begin this login")
            self._once.take(f"request {attempt.state}", attempt.at)
        except SamlRefusedError as error:
            raise _refused(error) from error
        said = waiting.assertion
        person = Person(self._login.issuer or self._login.provider_entity_id, said.subject, said.groups)
        caller = self._people.caller(person, said.email, said.assertion_id)
        name = said.name or said.email or said.subject
        response = await self._entry.enter(request, caller, name, attempt.following, KIND)
        self._site.cookies.drop(response, self._site.cookies.attempt)
        return response


def _refused(error: SamlRefusedError) -> Refusal:
    cause = error.__cause__
    log.warning("saml_response_refused", reason=str(error), cause=str(cause) if cause else "")
    text = f"The response of the identity provider was not taken: {error}."
    return Refusal(403, "You are not logged in", text, "Go back to the console, and begin the login again.")
