"""A small stack to be stopped and killed: `python -m tests.embedded.stack DIRECTORY KIND [PORT]`.

KIND `parts` runs two programs under a supervisor, `up` the whole way with a real broker and a web server.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from sluicegate.embedded.errors import StopAsked
from sluicegate.embedded.part import Part
from sluicegate.embedded.probes import http_ready
from sluicegate.embedded.say import plain_say
from sluicegate.embedded.supervisor import Supervisor
from sluicegate.embedded.up import EmbeddedBroker, Listen, up
from tests.embedded.waiting import part

WITH_GRANDCHILD = """
if os.fork() == 0:
    (here / 'grandchild.pid').write_text(str(os.getpid()))
    signal.pause()
be_ready(); signal.pause()"""
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); be_ready()\nwhile True: signal.pause()"


async def parts(here: Path) -> int:
    """A polite part, one with a child of its own, one that has to be killed."""
    try:
        async with Supervisor(here, here, say=plain_say, grace_s=1.0) as supervisor:
            await supervisor.start(part(here, "polite"))
            await supervisor.start(part(here, "parent", WITH_GRANDCHILD))
            await supervisor.start(part(here, "stubborn", STUBBORN, stop_seconds=60.0))
            plain_say("ready")
            await supervisor.wait()
    except StopAsked:
        return 3
    return 0


async def whole(here: Path, port: int) -> int:
    """A broker, then a web server that stands for the gateway."""

    def after(bootstrap: str) -> list[list[Part]]:
        command = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
        env = {**os.environ, "BOOTSTRAP": bootstrap}
        return [[Part("gateway", command, http_ready(f"http://127.0.0.1:{port}/"), env=env, cwd=here)]]

    return await up(
        after,
        here / "var",
        broker=EmbeddedBroker(sync=False, heap_mb=256),
        listens=[Listen("127.0.0.1", port, "gateway.listen in the configuration")],
        addresses={"gateway": f"http://127.0.0.1:{port}"},
    )


if __name__ == "__main__":
    where = Path(sys.argv[1])
    sys.exit(asyncio.run(parts(where) if sys.argv[2] == "parts" else whole(where, int(sys.argv[3]))))
