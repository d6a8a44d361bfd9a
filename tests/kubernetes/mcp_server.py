"""The real kubernetes-mcp-server, whose Kubernetes API is the gateway, and the official MCP client before it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.processes import Child
from tests.kubernetes.gateway import TOOLS, Gateway
from tests.kubernetes.install import Clients
from tests.kubernetes.kubeconfig import by_token

READY_S = 30.0
CALL_S = 60.0


@contextmanager
def running(clients: Clients, gateway: Gateway, port: int, folder: Path) -> Iterator[None]:
    """Runs it on `port` until the block ends. It has no token of its own: each call brings its caller's."""
    config = by_token(folder / "mcp.kubeconfig", gateway.url, gateway.ca, "none-of-its-own")
    command = [str(clients.mcp_server), "--kubeconfig", str(config), "--bind-address", "127.0.0.1"]
    with Child("kubernetes-mcp-server", [*command, "--port", str(port)], folder / "mcp.log") as child:
        child.wait_for_port(port, READY_S)
        yield


@asynccontextmanager
async def tools(gateway: Gateway, subject: str) -> AsyncIterator[Client]:
    """The official client, as `subject`, connected through the gateway."""
    context = ssl.create_default_context(cafile=str(gateway.ca))
    headers = {"Authorization": f"Bearer {gateway.token(subject, 'developers')}"}
    url = f"{gateway.public_url}/mcp/{TOOLS}"
    async with (
        httpx2.AsyncClient(verify=context, headers=headers, timeout=CALL_S) as http,
        Client(streamable_http_client(url, http_client=http), read_timeout_seconds=CALL_S) as client,
    ):
        yield client
