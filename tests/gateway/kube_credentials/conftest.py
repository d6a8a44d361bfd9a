"""Kubeconfigs, the API server behind them, and clocks that stand until they are moved."""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from multidict import CIMultiDict

from gateway.edge.credentials.injector import Injector
from gateway.edge.credentials.kubeconfig import certificate_of
from gateway.edge.upstream import HttpUpstream
from gateway.effects import Forward
from gateway.sessions import Principal
from gateway.settings import Connection, ConnectionKind, KubeConfig
from tests.support.certificates import Authority, server_context

EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}


class Clock:
    """Seconds; moved by hand."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wall() -> Clock:
    """Unix seconds: 2026-01-01T00:00:00Z."""
    return Clock(1_767_225_600.0)


@pytest.fixture
def ann() -> Principal:
    return Principal("https://id.example.com", "ann", "jti-1", ("sre", "dev"), email="ann@example.com")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def inline(file: Path) -> str:
    """A file as a kubeconfig holds it."""
    return b64encode(file.read_bytes()).decode()


@dataclass
class Kube:
    """A kubeconfig in a folder, written from its parts."""

    folder: Path
    cluster: dict[str, Any] = field(default_factory=lambda: {"server": "https://127.0.0.1:6443"})
    user: dict[str, Any] = field(default_factory=lambda: {"token": "t0ken"})
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "config"

    def write(self, **user: Any) -> KubeConfig:
        """Writes it, with another user when one is given."""
        self.user = user or self.user
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "prod",
            "contexts": [{"name": "prod", "context": {"cluster": "eu", "user": "gateway"}}],
            "clusters": [{"name": "eu", "cluster": self.cluster}],
            "users": [{"name": "gateway", "user": self.user}],
        } | self.more
        fresh = self.file.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(document), "utf-8")
        fresh.replace(
            self.file
        )  # as another file, so that its number changes even within one tick of the clock
        return KubeConfig(self.file, exec_seconds=10)

    def connection(self, **user: Any) -> Connection:
        return Connection("prod", ConnectionKind.KUBERNETES, kubeconfig=self.write(**user))


@pytest.fixture
def kube(tmp_path: Path) -> Kube:
    return Kube(tmp_path)


def script(folder: Path, body: str, name: str = "plugin") -> Path:
    """A real program for `exec`."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def printing(status: str, version: str = "v1") -> str:
    """A script that prints a credential with this status (JSON)."""
    return (
        f'echo \'{{"apiVersion": "client.authentication.k8s.io/{version}", "kind": "ExecCredential", '
        f'"status": {status}}}\''
    )


@dataclass
class ApiServer:
    """A TLS server that remembers who came: the client certificate's name, and the headers."""

    port: int = 0
    seen: list[tuple[str, CIMultiDict[str]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport
        shown = request.transport.get_extra_info("peercert") or {}
        names = [value for parts in shown.get("subject", ()) for _, value in parts]
        self.seen.append((names[0] if names else "", CIMultiDict(request.headers)))
        return web.json_response({"kind": "Status"})


@asynccontextmanager
async def api_server(context: ssl.SSLContext) -> AsyncIterator[ApiServer]:
    served = ApiServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    served.port = int(runner.addresses[0][1])
    try:
        yield served
    finally:
        await runner.cleanup()


@pytest.fixture
async def server(authority: Authority, kube: Kube) -> AsyncIterator[ApiServer]:
    """One that asks for a certificate of `authority` and takes those that show none; the kubeconfig leads there."""
    context = server_context(authority.issue("127.0.0.1"), authority.ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with api_server(context) as served:
        kube.cluster = {
            "server": f"https://127.0.0.1:{served.port}",
            "certificate-authority-data": inline(authority.ca),
        }
        yield served


@dataclass
class Way:
    """The injector of a connection and the way to its server, wired as the gateway wires them."""

    injector: Injector
    upstream: HttpUpstream

    async def get(self, principal: Principal) -> int:
        """The status of one request. Raises CredentialError and UpstreamBrokenError."""
        asked = Forward("session", "GET", "", [(b"authorization", b"Bearer theirs")], b"", "/api/v1/pods")
        carrier = await self.upstream.ask(await self.injector.authorize(asked, principal, "theirs"))
        try:
            status = (await carrier.head()).status
            await carrier.body(10_000)
            return status
        finally:
            self.upstream.done(carrier)

    async def close(self) -> None:
        await self.upstream.close()
        await self.injector.close()


@asynccontextmanager
async def way(connection: Connection, injector: Injector) -> AsyncIterator[Way]:
    made = Way(injector, HttpUpstream(connection, certificate_of(injector)))
    try:
        yield made
    finally:
        await made.close()
