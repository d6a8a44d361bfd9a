"""Whatever goes wrong on a page, as a page; scripts of ours get the status and one line."""

from collections.abc import Awaitable, Callable

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from console.errors import DeskError
from console.web.failures import Ended, GoElsewhere, Refusal, store_away
from console.web.headers import page_headers
from console.web.site import Site, login_path
from sinks.clickhouse import StoreAwayError
from sinks.readers import ReadError

Handler = Callable[[Request, Exception], Awaitable[Response]]
log = structlog.get_logger("console")

_DESK = {"not_found": (404, "There is no such approval"), "refused": (409, "It was not decided")}


def handlers(site: Site) -> dict[type[Exception], Handler]:
    """For Starlette. `HTTPException` and `DeskError` are answered here for pages only; see `answer`."""

    async def refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return answer(site, request, error)

    async def away(request: Request, error: Exception) -> Response:
        return answer(site, request, store_away(str(error)))

    async def unreadable(request: Request, error: Exception) -> Response:
        assert isinstance(error, ReadError)
        todo = "Change the question in the address or the form, and ask again."
        return answer(site, request, Refusal(error.status, "The trail cannot answer this", str(error), todo))

    async def moved(_: Request, error: Exception) -> Response:
        assert isinstance(error, GoElsewhere)
        return site.elsewhere(error.location)

    return {Refusal: refusal, StoreAwayError: away, ReadError: unreadable, GoElsewhere: moved}


def answer(site: Site, request: Request, refusal: Refusal) -> Response:
    """The page of a refusal; who has to log in is sent there."""
    if not _wants_page(request):
        headers = {**page_headers(tls=site.tls), **refusal.headers}
        return PlainTextResponse(f"{refusal.text} {refusal.todo}".strip() + "\n", refusal.status, headers)
    if isinstance(refusal, Ended):
        return site.elsewhere(login_path(refusal.following))
    return site.page(
        request, site.known(request), "failure.html", refusal.status, headers=refusal.headers, refusal=refusal
    )


def of_desk(error: DeskError) -> Refusal:
    """What the desk said."""
    status, title = _DESK.get(error.reason, (503, "Kafka or the approvals processor is away"))
    return Refusal(status, title, str(error), "Look at the approval before you try again.")


def of_http(error: HTTPException) -> Refusal:
    """No such path, or no such method there."""
    if error.status_code == 404:
        return Refusal(
            404, "There is no such page", "Nothing is at this address.", "Go on from the navigation."
        )
    return Refusal(error.status_code, "This cannot be done here", error.detail, headers=error.headers or {})


def _wants_page(request: Request) -> bool:
    """Whether a person navigates: a browser says so, and who is no browser takes HTML or not."""
    mode = request.headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in request.headers.get("accept", "")
