"""A Keycloak as a child process: on loopback, a free port, its database in memory."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sluicegate.embedded.guard import Guard, signal_group
from sluicegate.embedded.java import find_java
from sluicegate.embedded.say import Say
from tests.keycloak.distribution import unpacked
from tests.keycloak.realm import REALM, realm

READY_S = 300.0
_LISTENING = re.compile(rb"Listening on: (http://127\.0\.0\.1:\d+)")


class KeycloakError(Exception):
    """Keycloak did not start; the text names its log."""


@dataclass(frozen=True)
class Keycloak:
    """A running one."""

    url: str
    admin_password: str

    @property
    def issuer(self) -> str:
        """The issuer of the imported realm."""
        return f"{self.url}/realms/{REALM}"

    @property
    def token_url(self) -> str:
        """Where the realm gives tokens."""
        return f"{self.issuer}/protocol/openid-connect/token"


@asynccontextmanager
async def keycloak(scratch: Path, say: Say, console: str) -> AsyncIterator[Keycloak]:
    """Runs a Keycloak in `scratch` until the block ends; it knows the console at the URL `console`."""
    home = await asyncio.to_thread(unpacked, scratch, say)
    (home / "data" / "import").mkdir(parents=True)
    (home / "data" / "import" / "realm.json").write_text(json.dumps(realm(console)))
    admin_password = secrets.token_urlsafe(16)
    log_file = scratch / "keycloak.log"
    guard = Guard()
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "bash",
            *(str(home / "bin" / "kc.sh"), "start-dev", "--import-realm", "--db=dev-mem"),
            *("--http-host=127.0.0.1", "--http-port=0"),
            env=_environment(admin_password),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    guard.watch(process.pid)
    try:
        url = await _listening(process, log_file)
        yield Keycloak(url, admin_password)
    finally:
        signal_group(process.pid, signal.SIGKILL)
        await process.wait()
        guard.forget(process.pid)
        guard.close()


def _environment(admin_password: str) -> dict[str, str]:
    java = find_java().path
    return os.environ | {
        "JAVA": str(java),
        "JAVA_HOME": str(java.parent.parent),
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": admin_password,
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",  # too short a run for the optimising compiler
    }


async def _listening(process: asyncio.subprocess.Process, log_file: Path) -> str:
    """The address that it says it listens on. Raises KeycloakError."""
    try:
        async with asyncio.timeout(READY_S):
            while not (found := _LISTENING.search(await asyncio.to_thread(log_file.read_bytes))):
                if process.returncode is not None:
                    raise KeycloakError(f"Keycloak ended with {process.returncode}: see {log_file}")
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise KeycloakError(f"Keycloak was not ready within {READY_S:g} s: see {log_file}") from None
    return found[1].decode()
