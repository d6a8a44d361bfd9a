"""`python -m tests.keycloak`: identity against a real Keycloak. Exit code 1: a check failed, 2: none was made."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from benchmarks.processes import ChildError, free_port
from gateway.edge.identity import Identity
from sluicegate.embedded.errors import EmbeddedError
from sluicegate.settings import load
from sluicegate.settings.parts import identity_settings
from tests.gateway.identity.provider import until
from tests.keycloak.checks import CHECKS, Bench, Check
from tests.keycloak.console import signing_certificate
from tests.keycloak.real_gateway import RealGateway, real_gateway
from tests.keycloak.server import KeycloakError, keycloak


def say(line: str) -> None:
    """Tells at once."""
    print(line, flush=True)


async def run(scratch: Path) -> int:
    """All checks against one Keycloak; gives how many failed."""
    began = time.monotonic()
    console = f"http://127.0.0.1:{free_port()}"
    async with keycloak(scratch, say, console) as provider, aiohttp.ClientSession() as http:
        say(f"keycloak: {provider.issuer}, ready after {time.monotonic() - began:.0f} s")
        certificate = await signing_certificate(http, provider, scratch)
        async with (
            real_gateway(provider.issuer, scratch, console, certificate) as gateway,
            _identity(gateway) as identity,
        ):
            say(f"gateway: {gateway.url}, ready after {time.monotonic() - began:.0f} s")
            bench = Bench(provider, identity, gateway, http)
            return sum([not await _holds(check, bench) for check in CHECKS])


@asynccontextmanager
async def _identity(gateway: RealGateway) -> AsyncIterator[Identity]:
    """An identity by the settings of the gateway, to ask it directly."""
    identity = Identity(identity_settings(load(gateway.settings_file)))
    identity.start()
    await until(lambda: identity.ready)
    yield identity
    await identity.stop()


async def _holds(check: Check, bench: Bench) -> bool:
    began = time.monotonic()
    try:
        await check(bench)
    except Exception:  # noqa: BLE001 - a check that fails, however it fails, is told, and the others still run
        traceback.print_exc()
        say(f"FAILED {check.__doc__}")
        return False
    say(f"ok     {check.__doc__} ({time.monotonic() - began:.1f} s)")
    return True


def main() -> int:
    """Runs the checks; returns the exit code."""
    scratch = tempfile.TemporaryDirectory(prefix="sluicegate-keycloak-", ignore_cleanup_errors=True)
    try:
        with scratch as folder:
            failed = asyncio.run(run(Path(folder)))
    except (EmbeddedError, KeycloakError, ChildError) as error:
        print(f"identity could not be checked: {error}", file=sys.stderr)
        return 2
    say(f"{len(CHECKS) - failed} of {len(CHECKS)} checks hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
