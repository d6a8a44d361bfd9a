"""The HTTP form over the store of this test process, in a thread of its own so that blocking clients can ask it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.applications import Starlette

from sinks.clickhouse import ClickHouseAddress
from sinks.server import QueryServer, listen
from sinks.sql.http_form import SqlForm
from sinks.sql.sandbox import Sandbox

TOKEN = "a-token-that-only-the-owner-can-read"


@dataclass(frozen=True)
class Served:
    """Where it listens, and the sandbox behind it with the loop that it lives in."""

    port: int
    sandbox: Sandbox
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(address: ClickHouseAddress, *, fresh_s: float) -> Iterator[Served]:
    """Serves until the block ends."""
    listening = listen("127.0.0.1", 0)
    port, ready, made = listening.getsockname()[1], threading.Event(), []

    async def serve() -> None:
        sandbox = Sandbox(address, fresh_s=fresh_s)
        app = Starlette(routes=SqlForm(sandbox, TOKEN, address.database).routes())
        server = QueryServer(app, listening)
        made.append((server, Served(port, sandbox, asyncio.get_running_loop())))
        ready.set()
        try:
            await server.run_until_asked()
        finally:
            await sandbox.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield made[0][1]
    finally:
        made[0][0].should_exit = True
        thread.join(30)
        listening.close()
