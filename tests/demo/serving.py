"""The demo's server in this process, on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from sluicegate.demo.seed import DEFAULT_SEED
from sluicegate.demo.server import HOST, PATH, demo_app

ERAS = {"2025-11-25": "legacy", "2026-07-28": "auto"}


@asynccontextmanager
async def served(seed: int = DEFAULT_SEED) -> AsyncIterator[str]:
    """The URL of a server over a fresh cluster."""
    config = uvicorn.Config(
        demo_app(seed), host=HOST, port=0, log_level="warning", timeout_graceful_shutdown=1
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await server.accepting.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://{HOST}:{port}{PATH}"
    finally:
        server.should_exit = True
        await serving


class Server(uvicorn.Server):
    """Leaves the signals to pytest, and says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()
