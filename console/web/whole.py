"""The pages of a console, put together."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.directory import Person
from console.errors import DeskError
from console.settings import ConsoleSettings
from console.web import pages
from console.web.answering import answer, handlers, of_desk, of_http
from console.web.entry import Entry
from console.web.settings import WebSettings
from console.web.site import Parts, Site
from sinks.client import open_reader

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

    def start(self) -> None:
        """Begins what pages need beside the console's own parts, in the running loop."""

    async def stop(self) -> None:
        """Lets go of everything."""
        await self.site.reader.close()

    def routes(self) -> list[BaseRoute]:
        """Static files, logins, pages."""
        return [
            *self.site.static.routes(),
            *self._entry.routes(),
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

        return {**handlers(self.site), DeskError: desk_error, HTTPException: http_error}

    async def _me(self, request: Request) -> Response:
        """GET /me: 204 for who is logged in; a script asks it when a feed is cut."""
        await self.site.viewer(request)
        return Response(status_code=204)


def _for_programs(request: Request) -> bool:
    return request.url.path.startswith(OTHERS)
