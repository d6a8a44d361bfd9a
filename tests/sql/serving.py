"""The HTTP form over the store of this test process, in a thread of its own so that blocking clients can ask it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from sinks.access import Guard
from sinks.clickhouse import ClickHouseAddress
from sinks.server import QueryServer, listen
from sinks.sql.api import SqlApi
from sinks.sql.client import OwnerAnalyst

TOKEN = "a-token-that-only-the-owner-can-read"


@dataclass(frozen=True)
class Served:
    """Where it listens, and the file with its token."""

    port: int
    token_file: Path

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def analyst(self) -> OwnerAnalyst:
        """As a command asks."""
        return OwnerAnalyst(self.url, self.token_file)


@contextmanager
def served(address: ClickHouseAddress, *, fresh_s: float) -> Iterator[Served]:
    """Serves until the block ends."""
    listening = listen("127.0.0.1", 0)
    port, ready, made = listening.getsockname()[1], threading.Event(), list[QueryServer]()
    token_file = address.path.with_name("query.token")
    token_file.write_text(TOKEN)

    async def serve() -> None:
        api = SqlApi(address, fresh_s=fresh_s)
        app = Guard(Starlette(routes=api.routes(TOKEN)), TOKEN, frozenset())
        made.append(QueryServer(app, listening))
        ready.set()
        try:
            await made[0].run_until_asked()
        finally:
            await api.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield Served(port, token_file)
    finally:
        made[0].should_exit = True
        thread.join(30)
        listening.close()
