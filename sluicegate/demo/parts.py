"""What the demo adds to the stack: the MCP server behind the gateway, and the provider before it."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sluicegate.demo.config import CONNECTION, console_url, gateway_url, provider_address, server_address
from sluicegate.embedded.part import Part
from sluicegate.embedded.probes import Ready, http_ready, polled
from sluicegate.embedded.up import Listen
from sluicegate.settings import Settings

PEOPLE_FOLDER: Final = "demo-people"


@dataclass(frozen=True)
class Extra:
    """Parts that start before the others, and the addresses they need."""

    parts: list[Part]
    listens: list[Listen]


def extra(settings: Settings, config: Path) -> Extra:
    """What the configuration has a place for. Raises DemoError."""
    host, port = server_address(settings)
    parts = [server_part(host, port)]
    listens = [Listen(host, port, f"the upstream of the connection `{CONNECTION}` in {config}")]
    provider = provider_address(settings)
    if provider is not None:
        parts.append(provider_part(*provider, settings))
        listens.append(Listen(*provider, f"the issuer of the demo's people in {config}"))
    return Extra(parts, listens)


def server_part(host: str, port: int) -> Part:
    """The demo's MCP server as a part of the stack."""
    argv = (sys.executable, "-m", "sluicegate.demo.server", "--port", str(port))
    return Part(name="demo-server", argv=argv, ready=_accepts(host, port), stop_seconds=5.0)


def provider_part(host: str, port: int, settings: Settings) -> Part:
    """The demo's provider as a part of the stack; the gateway reads its keys."""
    options = ("--port", str(port), "--data-dir", str(settings.data_dir / PEOPLE_FOLDER))
    resources = ("--resource", gateway_url(settings), "--console", console_url(settings))
    argv = (sys.executable, "-m", "sluicegate.demo.people", *options, *resources)
    return Part(
        name="demo-people", argv=argv, ready=http_ready(f"http://{host}:{port}/jwks"), stop_seconds=5.0
    )


def _accepts(host: str, port: int) -> Ready:
    """Ready when connections are accepted."""

    async def ask() -> str:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
        return ""

    return polled(ask)
