"""The pages of a console, put together."""

import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from console.directory import Person
from console.errors import DeskError
from console.settings import ConsoleSettings
from console.web import pages
from console.web.answering import answer, handlers, of_desk, of_http
from console.web.entry import Entry
from console.web.failures import Refusal
from console.web.oidc import OidcDoor
from console.web.people import People
from console.web.settings import WebSettings
from console.web.site import Parts, Site
from sinks.client import open_reader

if TYPE_CHECKING:
    from console.web.saml import SamlDoor

log = structlog.get_logger("console")
BROKEN = Refusal(
    500,
    "Something broke here",
    "The console could not make this page. Nothing was changed by that.",
    "Try again; where it stays so, the log of the console says why.",
)
OTHERS = ("/api/", "/integrations/", "/.well-known/", "/healthz", "/readyz", "/metrics")
"""Paths that programs ask for: what fails there is no page."""


class Web:
    """One a console; `start` before use. `token` and `terminal` as in `Entry`. Raises ValueError, OSError."""

    def __init__(
        self,
        settings: ConsoleSettings,
        web: WebSettings,
        parts: Parts,
        token: str = "",
        terminal: Person | None = None,
    ) -> None:
        self.site = Site(parts, open_reader(web.store), settings, web)
        self._entry = Entry(self.site, token, terminal)
        people = People(settings, web.roles, parts.directory)
        self._oidc = self._by_oidc(people)
        self._saml = self._by_saml(people)

    def start(self) -> None:
        """Begins what pages need beside the console's own parts, in the running loop."""
        if self._oidc is not None:
            self._oidc.start()

    async def stop(self) -> None:
        """Lets go of everything."""
        if self._oidc is not None:
            await self._oidc.stop()
        await self.site.reader.close()

    def _by_oidc(self, people: People) -> OidcDoor | None:
        login = self.site.web.oidc
        if login is None:
            return None
        known = {issuer.name: issuer for issuer in self.site.settings.identity.issuers}
        if login.issuer not in known:
            raise ValueError(f"web.login.issuer: there is no issuer {login.issuer}")
        return OidcDoor(self.site, self._entry, people, login, known[login.issuer])

    def _by_saml(self, people: People) -> "SamlDoor | None":
        login = self.site.web.saml
        if login is None:
            return None
        from console.web.saml import SamlDoor  # noqa: PLC0415 - its XML library takes its time, and few use it

        return SamlDoor(self.site, self._entry, people, login)

    def routes(self) -> list[BaseRoute]:
        """Static files, logins, pages."""
        return [
            *self.site.static.routes(),
            *self._entry.routes(),
            *(self._oidc.routes() if self._oidc else ()),
            *(self._saml.routes() if self._saml else ()),
            Route("/me", self._me, methods=["GET"]),
            *pages.routes(self.site),
        ]

    def handlers(self, problems: Mapping[Any, Any]) -> dict[Any, Any]:
        """Exception handlers: `problems` for programs, pages for people."""

        async def desk_error(request: Request, error: Exception) -> Response:
            if _for_programs(request):
                found: Response = await problems[DeskError](request, error)
                return found
            assert isinstance(error, DeskError)
            return answer(self.site, request, of_desk(error))

        async def http_error(request: Request, error: Exception) -> Response:
            if _for_programs(request):
                found: Response = await problems[HTTPException](request, error)
                return found
            assert isinstance(error, HTTPException)
            return answer(self.site, request, of_http(error))

        async def broken(request: Request, error: Exception) -> Response:
            """A fault of ours: the log says where, and the page nothing of it."""
            last = traceback.extract_tb(error.__traceback__)[-1]
            log.error("page_failed", error=type(error).__name__, at=f"{last.filename}:{last.lineno}")
            if _for_programs(request):
                return PlainTextResponse("Internal Server Error\n", 500)
            return answer(self.site, request, BROKEN)

        own = {**handlers(self.site), DeskError: desk_error, HTTPException: http_error}
        return {**own, Exception: broken}

    async def _me(self, request: Request) -> Response:
        """GET /me: 204 for who is logged in; a script asks it when a feed is cut."""
        await self.site.viewer(request)
        return Response(status_code=204)


def _for_programs(request: Request) -> bool:
    return request.url.path.startswith(OTHERS)
