"""The reader two ways: asking the store itself, and over HTTP through the query API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sinks.access import write_token
from sinks.client import HttpReader
from sinks.metrics import SinkMetrics
from sinks.server import QueryApi, QueryServer, listen
from sinks.sql_reader import SqlReader
from tests.sinks.shared_store import Store

WAYS = ("sql", "http")


@asynccontextmanager
async def reading(way: str, store: Store, folder: Path) -> AsyncIterator[SqlReader | HttpReader]:
    """A reader of `store`, for `way` one of WAYS."""
    reader = SqlReader(store.address)
    try:
        if way == "sql":
            yield reader
            return
        async with _served(reader, folder) as far:
            yield far
    finally:
        await reader.close()


@asynccontextmanager
async def _served(reader: SqlReader, folder: Path) -> AsyncIterator[HttpReader]:
    token_path = folder / "query.token"
    api = QueryApi(reader, SinkMetrics(), lambda: None, lambda: "")
    socket = listen("127.0.0.1", 0)
    server = QueryServer(api.app(write_token(token_path), frozenset()), socket)
    serving = asyncio.create_task(server.run_until_asked())
    far = HttpReader(f"http://127.0.0.1:{socket.getsockname()[1]}", token_path)
    try:
        yield far
    finally:
        await far.close()
        server.should_exit = True
        await serving
        socket.close()
