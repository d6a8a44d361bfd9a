"""`sluicegate up` as users run it: a settings file that trusts a provider, and an MCP server behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.processes import Child, free_port
from benchmarks.stack import COMMAND, CONFIG_NAME, config
from sluicegate.settings import load
from sluicegate.settings.parts import kafka_address
from tests.gateway.sdk_server import sdk_server
from tests.keycloak.realm import AUDIENCE

READY_S = 300.0
CONNECTION = "tools"


@dataclass(frozen=True)
class RealGateway:
    """A running one: where clients go, where the trail goes, and the settings it was given."""

    url: str
    bootstrap: str
    settings_file: Path


@asynccontextmanager
async def real_gateway(issuer: str, scratch: Path) -> AsyncIterator[RealGateway]:
    """Runs one that trusts `issuer`, with the official SDK's server behind it, until the block ends."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(sdk_server())
        children = ExitStack()
        stack.push_async_callback(asyncio.to_thread, children.close)
        gateway = await asyncio.to_thread(_started, children, issuer, upstream.url, scratch)
        yield gateway


def _started(children: ExitStack, issuer: str, upstream: str, scratch: Path) -> RealGateway:
    port = free_port()
    settings = config({CONNECTION: upstream}, port, scratch, {})
    settings["identity"] = _identity(issuer, f"http://127.0.0.1:{port}")
    settings["connections"][0]["access"] = {"groups": ["sre"]}  # type: ignore[index]
    file = scratch / CONFIG_NAME
    file.write_text(yaml.safe_dump(settings))
    command = [*COMMAND, "up", "--config", str(file)]
    child = children.enter_context(Child("sluicegate up", command, scratch / "up.log", env={"NO_COLOR": "1"}))
    child.wait_for(r"\bready\b", READY_S)
    child.wait_for_port(port, READY_S)
    bootstrap = kafka_address(load(file)).bootstrap
    return RealGateway(f"http://127.0.0.1:{port}/mcp/{CONNECTION}", bootstrap, file)


def _identity(issuer: str, public_url: str) -> dict[str, object]:
    people = {
        "name": "people",
        "issuer": issuer,
        "audiences": [AUDIENCE],
        "keys_fresh_seconds": 1,
        "claims": {"groups": "member_of"},
    }
    return {"mode": "oidc", "public_url": public_url, "issuers": [people]}
