"""One console process: serves until it is asked to stop."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn

from console.api.guard import App
from console.app import Console
from console.settings import ConsoleSettings
from processors.logs import configure_logs
from schemas.kafka import KafkaAddress
from sinks.access import write_token

BACKLOG = 256
GRACE_SECONDS = 5

log = structlog.get_logger("console")


def run_console(settings: ConsoleSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread; 0 when it stopped as asked.

    Raises ValueError for settings that let in whom they should not, and OSError for an address that is taken.
    """
    configure_logs()
    token = ""
    if settings.identity.mode == "none" and settings.token_file is not None:
        token = write_token(settings.token_file)
    return asyncio.run(_work(Console(settings, kafka, token=token)))


async def _work(console: Console) -> int:
    settings = console.settings
    with listen(settings.host, settings.port) as listening:
        server = Server(http_config(console.app(), settings), console)
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, server.ask_to_stop)
        console.start()
        try:
            port = listening.getsockname()[1]
            if settings.port_file is not None:
                _write_port(settings.port_file, port)
            log.info("console_started", port=port)
            await server.serve(sockets=[listening])
        finally:
            await console.stop()
        log.info("console_stopped")
    return 0


class Server(uvicorn.Server):
    """uvicorn with the signals left to who runs it; feeds end before it waits for the rest."""

    def __init__(self, config: uvicorn.Config, console: Console) -> None:
        super().__init__(config)
        self._console = console

    def ask_to_stop(self) -> None:
        """No new request is taken, and who follows changes goes elsewhere."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, without waiting for feeds."""
        self._console.desk.close_feeds()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes none."""
        yield


def http_config(app: App, settings: ConsoleSettings) -> uvicorn.Config:
    """How uvicorn serves a console."""
    tls = settings.tls
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        limit_concurrency=settings.api.connections_max,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=tls.certificate_file if tls else None,
        ssl_keyfile=tls.key_file if tls else None,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises OSError."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _write_port(file: Path, port: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(file.name + ".new")
    draft.write_text(f"{port}\n")
    draft.replace(file)
