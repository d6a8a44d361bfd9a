"""The demo as people run it, on free ports, until the block ends."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Child
from sluicegate.demo.config import CONFIG, POLICY, POLICY_FILE, console_url, gateway_url
from sluicegate.settings import Settings, load

READY_SECONDS = 600.0
TOLD = r"where to look next"
PORTS = ("8080", "8081", "8082", "9000", "9001")


@dataclass(frozen=True)
class Stack:
    """Where things are."""

    home: Path
    settings: Settings
    log: Path

    @property
    def console(self) -> str:
        """The pages."""
        return console_url(self.settings)

    @property
    def gateway(self) -> str:
        """Where agents connect."""
        return gateway_url(self.settings)

    @property
    def policy(self) -> Path:
        """The rules of the demo's connection."""
        return self.home / POLICY_FILE


def running(home: Path) -> Stack:
    """A demo that is up already, in `home`."""
    return Stack(home, load(home / "demo.yaml"), home / "demo.log")


@asynccontextmanager
async def demo(home: Path, say: Callable[[str], None]) -> AsyncIterator[Stack]:
    """The demo after its story. Raises ChildError when it does not come up."""
    config = home / "demo.yaml"
    text = CONFIG
    with ExitStack() as held:  # all at once, so that none is given twice
        for port in PORTS:
            sock = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{sock.getsockname()[1]}")
    config.write_text(text)
    (home / POLICY_FILE).write_text(POLICY)
    command = [sys.executable, "-m", "sluicegate", "demo", "--config", str(config)]
    with Child("the demo", command, home / "demo.log", cwd=home) as child:
        say("bringing the demo up; its story takes a minute or two")
        await asyncio.to_thread(child.wait_for, TOLD, READY_SECONDS)
        yield running(home)
