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
from tests.keycloak.realm import AUDIENCE, CONSOLE, SERVICE_SECRET

READY_S = 300.0
CONNECTION = "tools"


@dataclass(frozen=True)
class RealGateway:
    """A running one: where clients go, where the trail goes, and the settings it was given."""

    url: str
    bootstrap: str
    settings_file: Path
    console: str


@asynccontextmanager
async def real_gateway(
    issuer: str, scratch: Path, console: str, certificate: Path
) -> AsyncIterator[RealGateway]:
    """Runs one that trusts `issuer`, with the official SDK's server behind it, until the block ends; its console is
    at the URL `console` and believes assertions that are signed by the key of `certificate`."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(sdk_server())
        children = ExitStack()
        stack.push_async_callback(asyncio.to_thread, children.close)
        gateway = await asyncio.to_thread(
            _started, children, upstream.url, scratch, {**_trusting(issuer, console, certificate)}
        )
        yield gateway


def _started(
    children: ExitStack, upstream: str, scratch: Path, trusting: dict[str, dict[str, object]]
) -> RealGateway:
    port = free_port()
    settings = config({CONNECTION: upstream}, port, scratch, {})
    settings.update(trusting)
    trusting["identity"]["public_url"] = f"http://127.0.0.1:{port}"
    settings["connections"][0]["access"] = {"groups": ["sre"]}  # type: ignore[index]
    file = scratch / CONFIG_NAME
    file.write_text(yaml.safe_dump(settings))
    command = [*COMMAND, "up", "--config", str(file)]
    child = children.enter_context(Child("sluicegate up", command, scratch / "up.log", env={"NO_COLOR": "1"}))
    child.wait_for(r"\bready\b", READY_S)
    child.wait_for_port(port, READY_S)
    bootstrap = kafka_address(load(file)).bootstrap
    console = str(trusting["approvals"]["public_url"])
    return RealGateway(f"http://127.0.0.1:{port}/mcp/{CONNECTION}", bootstrap, file, console)


def _trusting(issuer: str, console: str, certificate: Path) -> dict[str, dict[str, object]]:
    """Who may call, and how people log into the console."""
    (certificate.parent / "client-secret").write_text(SERVICE_SECRET)
    saml = {
        "provider": issuer,
        "sign_in_url": f"{issuer}/protocol/saml",
        "certificate_files": [str(certificate)],
        "issuer": "people",
        "subject": "uid",
    }
    secret = {"file": str(certificate.parent / "client-secret")}
    login = {"client_id": CONSOLE, "client_secret": secret}
    return {
        "identity": _identity(issuer),
        "approvals": {"listen": console.removeprefix("http://"), "public_url": console},
        "web": {"login": login, "saml": saml, "roles": {"viewer": ["sre"]}},
    }


def _identity(issuer: str) -> dict[str, object]:
    people = {
        "name": "people",
        "issuer": issuer,
        "audiences": [AUDIENCE],
        "keys_fresh_seconds": 1,
        "claims": {"groups": "member_of"},
    }
    return {"mode": "oidc", "issuers": [people]}
