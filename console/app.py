"""Wires a console: settings in, an ASGI application and a desk out."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import REGISTRY, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from console.api.approvals import Approvals
from console.api.callers import Caller, Callers, TerminalVouching, TokenVouching, Vouching
from console.api.delegations import DelegationsApi
from console.api.document import document
from console.api.events import Events
from console.api.guard import LOOPBACK, Guard
from console.api.persons import Persons
from console.api.problems import Problem, on_desk_error, on_http_error, on_problem
from console.api.retention import RetentionApi
from console.desk import Desk
from console.directory import Directory, Person
from console.errors import DeskError
from console.keeping import Keeping
from console.metrics import ConsoleMetrics
from console.settings import ConsoleSettings
from console.terminal import terminal_person
from console.web.whole import Web
from gateway.edge.control import Control
from gateway.edge.identity import Identity, protected_resources
from gateway.sessions import Principal
from schemas.kafka import KafkaAddress

METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Console:
    """One console process: its desk, who may come in, its ASGI application.

    `token`: what the terminal's user shows in mode none. Raises ValueError for settings that let in whom they
    should not.
    """

    def __init__(self, settings: ConsoleSettings, kafka: KafkaAddress, *, token: str = "") -> None:
        self.settings, self.kafka = settings, kafka
        self.metrics = ConsoleMetrics()
        self.directory = Directory(settings.people)
        self.control = Control(kafka)
        self.desk = Desk(
            kafka,
            settings.keys,
            self.directory,
            limits=settings.desk,
            metrics=self.metrics,
            barred=self.blocked,
        )
        self.identity = None if settings.identity.mode == "none" else _identity(settings)
        self._callers = Callers(settings, self._vouching(token), self.barred)
        self.web = self._web(token)

    def app(self, routes: Sequence[BaseRoute] = ()) -> Guard:
        """The ASGI application; `routes` are further ones, of integrations."""
        starlette = Starlette(
            routes=[
                *self._probes(),
                *self._metadata(),
                *self._api(),
                *self._keeping(),
                *(self.web.routes() if self.web else ()),
                *routes,
            ],
            exception_handlers=self._handlers(),
        )
        starlette.router.redirect_slashes = False
        settings = self.settings
        public = (settings.identity.public_url, settings.integrations.public_url)
        named = [name for url in public if (name := urlsplit(url).hostname)]
        hosts = [*settings.hosts, settings.host, *named]
        return Guard(self.metrics.counted(starlette), hosts, settings.api, settings.identity.public_url)

    def _handlers(self) -> dict[Any, Any]:
        problems: dict[Any, Any] = {
            Problem: on_problem,
            DeskError: on_desk_error,
            HTTPException: on_http_error,
        }
        return {**problems, **self.web.handlers(problems)} if self.web else problems

    @property
    def fault(self) -> str:
        """What keeps the console from serving; '' when nothing does."""
        if not self.desk.ready or self.desk.fault:
            return self.desk.fault or "approvals have not been read yet"
        if not self.control.ready:
            return self.control.fault
        return "" if self.identity is None or self.identity.ready else self.identity.fault

    def start(self) -> None:
        """Begins to read and to reach for Kafka and the issuers, in the running loop."""
        self.control.start()
        self.desk.start()
        if self.identity is not None:
            self.identity.start()
        if self.web is not None:
            self.web.start()

    async def stop(self) -> None:
        """Ends feeds, and lets go of everything."""
        if self.identity is not None:
            await self.identity.stop()
        if self.web is not None:
            await self.web.stop()
        await self.desk.stop()
        await self.control.stop()

    def blocked(self, person: Person) -> str:
        """Why this person gets nothing, '' when nobody blocked it. Until it is known who is blocked, everybody is."""
        if not self.control.ready:
            return self.control.fault
        return self.control.blocked(Principal(person.issuer, person.subject, ""))

    def barred(self, caller: Caller) -> str:
        """Why somebody gets nothing: blocked, or with a token that was taken back. '' when nobody did that."""
        if caller.credential and self.control.revoked(caller.credential):
            return "this token was revoked"
        return self.blocked(caller.person)

    def _web(self, token: str) -> Web | None:
        if self.settings.web is None:
            return None
        terminal = self.directory.known(terminal_person()) if self.identity is None else None
        return Web(self.settings, self.settings.web, self, token, terminal)

    def _vouching(self, token: str) -> Vouching:
        if self.identity is not None:
            resource = self.settings.identity.public_url.rstrip("/")
            return TokenVouching(self.identity, resource, self.directory)
        if self.settings.host not in LOOPBACK:
            raise ValueError(
                "identity mode none is for loopback only: listen on 127.0.0.1, or ask for tokens"
            )
        if not token:
            raise ValueError("identity mode none needs a token that only this user can read")
        return TerminalVouching(token, terminal_person(), self.directory)

    def _api(self) -> list[BaseRoute]:
        limits = self.settings.api
        approvals = Approvals(self.desk, self._callers, limits)
        events = Events(self.desk, self._callers, limits, self.metrics)
        delegations = DelegationsApi(self.desk, self._callers)
        persons = Persons(self.desk, self._callers)
        content = document(self.settings.identity)

        async def openapi(_: Request) -> Response:
            return JSONResponse(content)

        route = partial(Route, methods=["GET"])
        return [
            route("/api/openapi.json", openapi),
            route("/api/approvals", approvals.list),
            route("/api/approvals/events", events.follow),
            route("/api/approvals/{id}", approvals.show),
            Route("/api/approvals/{id}/decision", approvals.decide, methods=["POST"]),
            route("/api/delegations", delegations.list),
            Route("/api/delegations", delegations.give, methods=["POST"]),
            Route("/api/delegations/{id}", delegations.take_back, methods=["DELETE"]),
            route("/api/me", persons.me),
            route("/api/people", persons.people),
        ]

    def _keeping(self) -> list[BaseRoute]:
        settings = self.settings.keeping
        if settings is None:
            return []
        keeping = Keeping(self.kafka, settings, "console")
        return RetentionApi(keeping, self._callers, settings.officer_groups).routes()

    def _metadata(self) -> list[BaseRoute]:
        """Protected resource metadata (RFC 9728)."""
        documents = protected_resources(self.settings.identity, {})

        async def metadata(request: Request) -> Response:
            return Response(documents[request.url.path], media_type="application/json")

        return [Route(path, metadata) for path in documents]

    def _probes(self) -> list[BaseRoute]:
        async def healthz(_: Request) -> Response:
            return PlainTextResponse("ok\n")

        async def readyz(_: Request) -> Response:
            return PlainTextResponse(f"{self.fault or 'ready'}\n", 503 if self.fault else 200)

        async def metrics(_: Request) -> Response:
            pages = generate_latest(self.metrics.registry) + generate_latest(REGISTRY)
            return Response(pages, media_type=METRICS)

        return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _identity(settings: ConsoleSettings) -> Identity:
    if not settings.identity.public_url:
        raise ValueError("the console needs a public_url: tokens name it as what they are for")
    return Identity(settings.identity)
