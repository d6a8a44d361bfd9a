"""Login and logout, whatever vouches for the person: a session begins anew, and an old one of the browser ends."""

import hmac
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.api.callers import Caller
from console.api.pace import Pace
from console.directory import Person
from console.web.failures import Ended, Refusal
from console.web.forms import form_of
from console.web.site import Site, safe_path

TRIES_PER_SECOND, TRIES_BURST = 0.5, 20  # at the token, of one address
LOGINS_PER_SECOND, LOGINS_BURST = 10.0, 300  # at a provider: behind a proxy everybody has its address


class Entry:
    """The door of the pages. `token` and `terminal`: what the user at this terminal shows, and who that is; '' and
    None where people log in at a provider."""

    def __init__(self, site: Site, token: str = "", terminal: Person | None = None) -> None:
        self._site, self._token, self._terminal = site, token, terminal
        self._tries = Pace(TRIES_PER_SECOND, TRIES_BURST)
        self._pace = Pace(LOGINS_PER_SECOND, LOGINS_BURST)

    def routes(self) -> list[BaseRoute]:
        """Three."""
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.take, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """GET /login: how to log in here."""
        following = safe_path(request.query_params.get("next", "/"))
        return self._page(request, following)

    async def take(self, request: Request) -> Response:
        """POST /login: the token of this terminal's user."""
        form = await form_of(request, self._site.origins(request))
        following = safe_path(form.get("next", "/"))
        if self._terminal is None or not self._token:
            raise Refusal(404, "There is no such login", "People log in at a provider here.", "Go to /login.")
        _slow_down(self._tries, request)
        if not hmac.compare_digest(form.get("token", "").strip().encode(), self._token.encode()):
            return self._page(request, following, 403, "This token is wrong, or of an earlier start.")
        caller = Caller(self._terminal, self._terminal, auditor=True, revoker=True)
        return await self.enter(request, caller, self._terminal.subject, following, "terminal")

    async def leave(self, request: Request) -> Response:
        """POST /logout."""
        site = self._site
        viewer = site.known(request)  # also of who has no role
        if viewer is None:
            raise Ended(following="/")
        await site.posted(request, viewer)
        site.logins.end(viewer.session)
        response = site.page(request, None, "login.html", **self._context("/", told="You are logged out."))
        site.cookies.drop(response, site.cookies.session)
        await site.record(viewer, "console.logout", viewer.caller.person.name, "done")
        return response

    async def enter(self, request: Request, caller: Caller, name: str, following: str, by: str) -> Response:
        """Lets somebody in whom a provider vouches for: on the record first. Raises Refusal."""
        site = self._site
        site.check_enters(caller)
        await site.entered(caller, by)
        if old := site.logins.find(site.cookies.read(request, site.cookies.session)):
            site.logins.end(old.key)
        token = site.logins.begin(caller, name, terminal=by == "terminal")
        response = site.elsewhere(following)
        site.cookies.write(response, site.cookies.session, token)
        return response

    def slow_down(self, request: Request) -> None:
        """Raises Refusal where one address logs in too often."""
        _slow_down(self._pace, request)

    def _page(self, request: Request, following: str, status: int = 200, fault: str = "") -> Response:
        return self._site.page(request, None, "login.html", status, **self._context(following, fault=fault))

    def _context(self, following: str, *, fault: str = "", told: str = "") -> dict[str, Any]:
        web = self._site.web
        return {
            "terminal": self._terminal is not None,
            "by_oidc": web.oidc.issuer if web.oidc else "",
            "by_saml": web.saml is not None,
            "following": following,
            "fault": fault,
            "told": told,
        }


def _slow_down(pace: Pace, request: Request) -> None:
    peer = request.client.host if request.client else ""
    if seconds := pace.wait(peer):
        wait = {"Retry-After": str(seconds)}
        raise Refusal(429, "Too many tries", f"Wait {seconds} s.", "Then try again.", wait)
