"""Wires the gateway: settings in, a served ASGI application out."""

import asyncio
import gc
import json
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from gateway.counters import SessionCounters
from gateway.edge.admission import Admission
from gateway.edge.announce import Announcer, stamp
from gateway.edge.approvals import Approvals
from gateway.edge.approvals.endpoint import approval_routes
from gateway.edge.background import Background
from gateway.edge.control import Control
from gateway.edge.downstream import McpEndpoint
from gateway.edge.guard import Door, GuardedHttpProtocol, allow_open_files
from gateway.edge.identity import Identity
from gateway.edge.perform import Receive, Scope, Write
from gateway.edge.policies import Policies
from gateway.edge.probes import probe_routes
from gateway.edge.quotas import Quotas
from gateway.edge.recorder import Recorder
from gateway.edge.route import Process
from gateway.edge.sealer import Sealer
from gateway.edge.tokens import SessionTokenIssuer, Sweeper, TokenDesk, TokenEndpoint
from gateway.edge.tracing import Tracing
from gateway.edge.waiting_room import WaitingRoom
from gateway.effects import Request
from gateway.policy import Policy
from gateway.sessions import Principal
from gateway.settings import GatewaySettings
from gateway.waiting import HeldTasks
from gateway.wiring import Parts, metadata_routes, nowhere, route
from gateway.workers import Workers, bound, shared_metrics_folder
from masking import PROFILES
from schemas.admin import GATEWAY, Outcome, admin_record
from schemas.control import policy_in_force
from schemas.findings import FindingRecord
from schemas.kafka import KafkaAddress

GRACE_SECONDS = 8.0
DRAIN_SECONDS = 5.0
GC_ALLOCATIONS = 50_000
RULES_CHARACTERS_MAX = 14_000  # below what one record's detail takes
UNKNOWN = Request("POST", "/token", "", [], b"", "", "")  # who asks for a token calls nothing yet

Prepare = Callable[[], None]


def _nothing() -> None:
    """Prepares nothing."""


class Gateway:
    """One gateway process: who may come in, its recorder, its upstreams, its ASGI application."""

    def __init__(self, settings: GatewaySettings, kafka: KafkaAddress, worker: int = 0) -> None:
        self.settings = settings
        self.recorder = _recorder(settings, kafka, worker)
        self.announcer = Announcer(kafka, deadline_seconds=settings.record_deadline_seconds)
        self.control = Control(kafka)
        self.background = Background()
        self.approvals = Approvals(
            kafka, settings.holding, tell=self._raise, deadline_seconds=settings.record_deadline_seconds
        )
        self.sealer = Sealer(settings.connections, kafka, self.background)
        self.recorder.keep = self.sealer.keep
        self.policies = Policies(settings.connections, self._policy_changed, PROFILES)
        issuer = _issuer(settings)
        self.identity = None if settings.identity.mode == "none" else Identity(settings.identity, issuer)
        self.sweeper = Sweeper(self.control, self.announcer)
        parts = Parts(
            settings,
            self.policies,
            self.control,
            self.announcer,
            self.background,
            SessionCounters(),
            HeldTasks(),
            None if issuer is None else TokenDesk(issuer, self._may_use, self.announcer),
        )
        self._routes = {c.name: route(c, parts) for c in settings.connections}
        quotas = Quotas(settings.connections, time.monotonic)
        self.admission = Admission(self.identity, self.control, quotas, self.approvals)
        self.tracing = Tracing(settings.telemetry)
        process = Process(
            self.recorder,
            quotas,
            settings.limits,
            self.background,
            self.tracing,
            self.announcer,
            self.approvals,
            WaitingRoom(settings.holding),
        )
        self.endpoint = McpEndpoint(
            self._routes,
            nowhere(settings),
            process,
            admission=self.admission,
            control=self.control,
            hosts=own_names(settings),
        )
        self.door = Door(self.endpoint.refused_at_the_door, sockets=self.endpoint.takes_sockets)
        probes = probe_routes(lambda: self.fault)
        self.app = Starlette(
            routes=[
                *probes,
                *metadata_routes(settings),
                *self._tokens(issuer, self.identity),
                *self._approval_routes(),
            ],
            lifespan=self._lifespan,
        )

    @property
    def fault(self) -> str:
        """What keeps the process from serving; '' when nothing does."""
        if not self.recorder.ready:
            return self.recorder.fault or "frames are not acknowledged within the deadline"
        if not self.control.ready:
            return self.control.fault
        if not self.approvals.ready:
            return self.approvals.fault
        return "" if self.identity is None or self.identity.ready else self.identity.fault

    async def __call__(self, scope: Scope, receive: Receive, send: Write) -> None:
        """The ASGI application: the data path goes straight to its endpoint, the rest through Starlette."""
        if scope["type"] == "http" and self.endpoint.serves(scope):
            await self.endpoint(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.recorder.start()
        self.announcer.start()
        self.control.start()
        self.approvals.start()
        self.policies.start()
        self.sweeper.start()
        self.sealer.start()
        if self.identity is not None:
            self.identity.start()
        yield
        if self.identity is not None:
            await self.identity.stop()
        await self.sweeper.stop()
        await self.policies.stop()
        for each in self._routes.values():
            await each.upstream.close()
            await each.injector.close()
        await self.background.stop(DRAIN_SECONDS)
        await self.sealer.stop()
        await self.approvals.stop()
        await self.control.stop()
        await self.announcer.stop()
        await self.recorder.stop(DRAIN_SECONDS)
        await asyncio.to_thread(self.tracing.stop)

    def _raise(self, finding: FindingRecord) -> None:
        """Nobody waits for a finding to be recorded."""
        self.background.run(self._tell_finding(finding))

    async def _tell_finding(self, finding: FindingRecord) -> None:
        await self.announcer.finding(finding)

    def _tokens(self, issuer: SessionTokenIssuer | None, identity: Identity | None) -> list[BaseRoute]:
        """The routes of the session tokens, where they are given."""
        if issuer is None or identity is None:
            return []
        endpoint = TokenEndpoint(
            identity=identity,
            issuer=issuer,
            control=self.control,
            announcer=self.announcer,
            may_use=self._may_use,
        )
        return [*endpoint.routes()]

    def _approval_routes(self) -> list[BaseRoute]:
        """Where callers see their approvals, and ask for access."""
        return [
            *approval_routes(
                self.approvals,
                identity=self.identity,
                settings=self.settings.identity,
                connections=self.settings.connections,
                control=self.control,
                announcer=self.announcer,
                hosts=own_names(self.settings),
            )
        ]

    def _may_use(self, principal: Principal, connection: str) -> bool:
        route = self._routes.get(connection)
        return route is not None and self.admission.may_use(principal, route, UNKNOWN)

    def _policy_changed(self, connection: str, version: str, problems: Sequence[str]) -> None:
        """Another policy is in force, or a file was not taken: it goes on the record, and nobody waits for that."""
        detail = {"version": version, "problems": list(problems)[:20]}
        if not problems:
            detail |= _rules_of(self.policies.of(connection))
        self.background.run(self._tell_policy(connection, version, problems, detail))

    async def _tell_policy(
        self, connection: str, version: str, problems: Sequence[str], detail: dict[str, Any]
    ) -> None:
        action = "policy.refuse" if problems else "policy.load"
        outcome: Outcome = "refused" if problems else "done"
        reason = problems[0] if problems else ""
        record = admin_record(stamp(), GATEWAY, action, connection, outcome, reason=reason, detail=detail)
        if await self.announcer.admin(record) and not problems:
            await self.announcer.control(
                f"policy:{connection}", policy_in_force(stamp(), connection, version, by=str(GATEWAY))
            )


def _rules_of(policy: Policy | None) -> dict[str, Any]:
    """The rules as their file has them, for whoever compares versions later; their length where they are too long
    for one record."""
    text = policy.text if policy else ""
    fits = len(json.dumps(text)) <= RULES_CHARACTERS_MAX
    return {"rules": text} if fits else {"rules_characters": len(text)}


class _Server(uvicorn.Server):
    """Ends streams on a signal, each with its record, before it waits for the other exchanges."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it; from here on SIGHUP reads the policies again."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, lambda: self._gateway.background.run(self._reload()))

    async def _reload(self) -> None:
        await self._gateway.policies.reload()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._gateway.endpoint.stop(GRACE_SECONDS)
        await super().shutdown(sockets)


def serve(settings: GatewaySettings, kafka: KafkaAddress, prepare: Prepare = _nothing) -> None:
    """Runs the gateway until SIGTERM or SIGINT. Raises OSError when the address cannot be had.

    `prepare` runs first in each process, to set up its logs; with several workers it must be picklable.
    """
    listening = bound(settings.host, settings.port)
    if settings.workers == 1:
        serve_one(settings, kafka, prepare, 0, listening)
        return
    shared_metrics_folder()
    Workers(partial(serve_one, settings, kafka, prepare), settings.workers, listening).run()


def serve_one(
    settings: GatewaySettings, kafka: KafkaAddress, prepare: Prepare, worker: int, listening: socket.socket
) -> None:
    """Runs one gateway process on a listening socket until it is told to stop."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there are policies to read again
    prepare()
    allow_open_files()
    gateway = Gateway(settings, kafka, worker)
    spare_the_collector()
    _Server(http_config(gateway), gateway).run([listening])


def http_config(gateway: Gateway) -> uvicorn.Config:
    """How uvicorn serves a gateway."""
    tls = gateway.settings.tls
    return uvicorn.Config(
        gateway,
        loop="uvloop",
        http=GuardedHttpProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # nobody may name another peer address (ABUSE 16)
        timeout_graceful_shutdown=int(GRACE_SECONDS),
        timeout_keep_alive=75,
        ssl_certfile=tls.certificate_file if tls else None,
        ssl_keyfile=tls.key_file if tls else None,
    )


def spare_the_collector() -> None:
    """What was made until now stays for good, and exchanges hardly make cycles: look for those less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 20, 20)


def _recorder(settings: GatewaySettings, kafka: KafkaAddress, worker: int) -> Recorder:
    limits = settings.limits
    return Recorder(
        kafka,
        f"{settings.instance}/{uuid.uuid4().hex[:12]}/{worker}",
        deadline_seconds=settings.record_deadline_seconds,
        frames_max=limits.unrecorded_frames_max,
        bytes_max=limits.unrecorded_bytes_max,
    )


def own_names(settings: GatewaySettings) -> frozenset[str]:
    """The names that `Host` and `Origin` may say, beside loopback ones."""
    public = urlsplit(settings.identity.public_url).hostname
    return frozenset({settings.host, *settings.hosts, *([public] if public else [])})


def _issuer(settings: GatewaySettings) -> SessionTokenIssuer | None:
    identity = settings.identity
    if identity.mode == "none" or identity.session_tokens is None:
        return None
    kinds = {each.name: each.kind for each in settings.connections}
    return SessionTokenIssuer(identity.session_tokens, identity.public_url, kinds)
