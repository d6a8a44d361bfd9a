"""One console's site: who looks, what is written down of it, and how pages are answered."""

from collections.abc import Mapping
from typing import Any, NoReturn, Protocol
from urllib.parse import quote, urlsplit
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.api.callers import Caller
from console.api.pace import Pace
from console.desk import Desk
from console.directory import Directory
from console.metrics import ConsoleMetrics
from console.settings import ConsoleSettings
from console.web.cookies import Cookies
from console.web.failures import Ended, Refusal, forbidden, not_found, unrecorded
from console.web.forms import check_token, form_of, own_origins
from console.web.headers import page_headers
from console.web.layout import environment
from console.web.logins import Login, Logins
from console.web.roles import EVERY_ROLE, Role, roles_of, scope_of
from console.web.settings import WebSettings
from console.web.static import StaticFiles
from console.web.viewer import Viewer
from gateway.edge.control import Control
from schemas.admin import Outcome
from schemas.kafka import KafkaAddress
from sinks.readers import Reader

PATH_CHARACTERS_MAX = 2_000
PAGES_PER_SECOND, PAGES_BURST = 20.0, 200  # of one person: a page loads several parts at once


class Parts(Protocol):
    """What the pages take of a console."""

    desk: Desk
    control: Control
    kafka: KafkaAddress
    metrics: ConsoleMetrics
    directory: Directory

    def barred(self, caller: Caller) -> str:
        """Why somebody gets nothing any more; '' when nobody bars them."""
        ...


class Site:
    """One a console. `reader` reads the trail."""

    def __init__(self, parts: Parts, reader: Reader, settings: ConsoleSettings, web: WebSettings) -> None:
        self.reader, self.desk, self.scribe, self.control = (
            reader,
            parts.desk,
            parts.desk.scribe,
            parts.control,
        )
        self.settings, self.web, self.kafka, self.metrics = settings, web, parts.kafka, parts.metrics
        self.logins = Logins(web)
        self.static = StaticFiles()
        self.tls = urlsplit(settings.identity.public_url).scheme == "https" or settings.tls is not None
        self.cookies = Cookies(tls=self.tls)
        self._barring = parts.barred
        self._pace = Pace(PAGES_PER_SECOND, PAGES_BURST)
        self._templates = environment(self.static)
        self._zones = frozenset(available_timezones())

    # -- who looks

    async def viewer(self, request: Request, *roles: Role) -> Viewer:
        """Who looks, with one of `roles` (any role at all where none is named).

        Raises Ended (the browser goes to the login) or Refusal (a page that says why not).
        """
        login = self.logins.find(self.cookies.read(request, self.cookies.session))
        if login is None:
            raise Ended(following=path_of(request))
        self._check_barred(login)
        if seconds := self._pace.wait(login.caller.person.name):
            text = f"Wait {seconds} s, then load the page again."
            raise Refusal(429, "You ask too often", text, headers={"Retry-After": str(seconds)})
        viewer = self._viewer(request, login)
        if not viewer.may(*roles):
            raise forbidden(" or ".join(roles) or "of anybody", viewer.caller.person.groups)
        return viewer

    def known(self, request: Request) -> Viewer | None:
        """Who looks, for the frame of a page that says why something is not shown; None for nobody."""
        login = self.logins.find(self.cookies.read(request, self.cookies.session))
        if login is None or not self.control.ready or self._barring(login.caller):
            return None
        return self._viewer(request, login)

    def still(self, viewer: Viewer) -> bool:
        """Whether the viewer's login still holds: streams ask before each thing they tell."""
        return self.logins.lives(viewer.session) and not self._barring(viewer.caller)

    def check_enters(self, caller: Caller) -> None:
        """Raises Refusal for who is blocked, and for everybody while it is not known who is."""
        if not self.control.ready:
            fault = self.control.fault
            raise Refusal(503, "Not ready yet", f"It is not known yet who is blocked: {fault}", "Try again.")
        if reason := self._barring(caller):
            raise Refusal(403, "You are blocked", reason, "Ask whoever runs Sluicegate.")

    def _check_barred(self, login: Login) -> None:
        """A block takes the login away."""
        try:
            self.check_enters(login.caller)
        except Refusal as refusal:
            if refusal.status == 403:
                self.logins.end(login.key)
            raise

    def _viewer(self, request: Request, login: Login) -> Viewer:
        groups = login.caller.person.groups
        roles = EVERY_ROLE
        if not login.terminal:
            roles = roles_of(groups, self.web.roles, self.settings.auditor_groups)
        zone = self.cookies.read(request, self.cookies.zone).replace("%2F", "/")
        return Viewer(
            login.caller,
            roles,
            scope_of(groups, roles, self.web.teams),
            login.csrf,
            login.name,
            zone if zone in self._zones else "UTC",
            login.key,
        )

    # -- what is written down

    async def looked(self, viewer: Viewer, action: str, target: str, /, **detail: object) -> None:
        """`viewer` is about to see something: Kafka has it, or a Refusal (503) is raised and nothing is shown."""
        await self.record(viewer, action, target, "done", **detail)

    async def absent(self, viewer: Viewer, what: str, target: str, *, exists: bool = False) -> NoReturn:
        """Raises Refusal 404. Of somebody whose scope is limited it is recorded, whether there is one or not, so
        that neither the page nor the time it takes tells which; the record does (`exists`)."""
        if viewer.connections is not None:
            await self.record(viewer, "trail.refused", target, "refused", what=what, exists=exists)
        raise not_found(what)

    async def record(
        self, viewer: Viewer, action: str, target: str, outcome: Outcome, /, **detail: object
    ) -> None:
        """An `admin` record of what the viewer did. Raises Refusal (503) unless Kafka has it."""
        person = viewer.caller.person
        said = {
            "through": "web",
            **{name: value for name, value in detail.items() if value not in ("", None)},
        }
        if not await self.scribe.act(person, action, target, outcome, detail=said):
            raise unrecorded(self.scribe.fault)

    async def entered(self, caller: Caller, by: str) -> None:
        """Somebody logs in by `by` (terminal, oidc, saml): on the record first, or a Refusal (503)."""
        person = caller.person
        detail = {"through": "web", "by": by, "groups": list(person.groups), "credential": caller.credential}
        if not await self.scribe.act(person, "console.login", person.name, "done", detail=detail):
            raise unrecorded(self.scribe.fault)

    # -- pages

    async def posted(self, request: Request, viewer: Viewer) -> dict[str, str]:
        """The fields of a form that a page of ours sent for this viewer, without the token. Raises Refusal."""
        form = await form_of(request, self.origins(request))
        check_token(form, viewer.csrf)
        return form

    def origins(self, request: Request) -> frozenset[str]:
        """Origins whose forms are ours. The guard has checked the host."""
        return own_origins(self.settings.identity.public_url, request.headers.get("host", ""))

    def page(
        self,
        request: Request,
        viewer: Viewer | None,
        template: str,
        status: int = 200,
        *,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """HTML; templates know `viewer`, `path`, `query` (the parameters, lists) and what `context` has."""
        text = self._templates.get_template(template).render(
            viewer=viewer,
            Role=Role,
            path=request.url.path,
            parameters=dict(request.query_params),
            oidc=self.web.oidc is not None,
            **context,
        )
        return Response(
            text, status, {**page_headers(tls=self.tls), **(headers or {})}, "text/html; charset=utf-8"
        )

    def elsewhere(self, location: str) -> Response:
        """The browser asks for `location` next, whatever it sent here."""
        return RedirectResponse(location, 303, page_headers(tls=self.tls))


def path_of(request: Request) -> str:
    """Where to come back to after a login: a path of ours with its query, of what a browser asked to see."""
    if request.method != "GET":
        return "/"
    whole = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return safe_path(whole)


def safe_path(text: str) -> str:
    """`text` where it is a path here, in one reading only; else `/`."""
    plain = text.isascii() and text.isprintable() and not set(text) & set("\\ <>\"'`")
    if not plain or not text.startswith("/") or text.startswith("//") or len(text) > PATH_CHARACTERS_MAX:
        return "/"
    return text


def login_path(following: str) -> str:
    """The login that leads to `following` afterwards."""
    return "/login" if following == "/" else f"/login?next={quote(following, safe='')}"
