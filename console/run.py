"""One console process: serves until it is asked to stop."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import structlog
import uvicorn

from console.api.guard import Guard
from console.app import Console
from console.integrations.whole import Integrations
from console.settings import ConsoleSettings
from gateway.edge.guard import GuardedHttpProtocol, allow_open_files
from processors.logs import configure_logs
from schemas.kafka import KafkaAddress
from sinks.access import write_token

BACKLOG = 256
GRACE_SECONDS = 5
RESTART_CODE = 75

log = structlog.get_logger("console")


def run_console(settings: ConsoleSettings, kafka: KafkaAddress) -> int:
    """Run until SIGTERM or SIGINT, in the main thread. The exit code: 0 stopped as asked, 75 start me again.

    Raises ValueError for settings that let in whom they should not, and OSError for an address that is taken.
    """
    configure_logs()
    allow_open_files()
    token = ""
    if settings.identity.mode == "none" and settings.token_file is not None:
        token = write_token(settings.token_file)
    return asyncio.run(_work(Console(settings, kafka, token=token), kafka))


async def _work(console: Console, kafka: KafkaAddress) -> int:
    settings, loop = console.settings, asyncio.get_running_loop()
    with listen(settings.host, settings.port) as listening:
        async with aiohttp.ClientSession() as http:
            integrations = Integrations(settings.integrations, console.desk, http, kafka)
            server = Server(http_config(console.app(integrations.routes()), settings), console)
            for signum in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(signum, server.ask_to_stop)
            console.start()
            delivering = asyncio.create_task(integrations.run())
            delivering.add_done_callback(server.look_at)
            try:
                _tell(settings.port_file, listening.getsockname()[1])
                await server.serve(sockets=[listening])
            finally:
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)
                await console.stop()
    log.info("console_stopped")
    return server.code


class Server(uvicorn.Server):
    """uvicorn with the signals left to who runs it; feeds end before it waits for the rest."""

    def __init__(self, config: uvicorn.Config, console: Console) -> None:
        super().__init__(config)
        self._console = console
        self.code = 0

    def ask_to_stop(self) -> None:
        """No new request is taken, and who follows changes goes elsewhere."""
        self.should_exit = True

    def look_at(self, delivering: "asyncio.Task[None]") -> None:
        """Whoever should tell people of approvals has failed: the process ends, to be started again."""
        if not delivering.cancelled() and (error := delivering.exception()):
            log.error("integrations_failed", error=type(error).__name__, exc_info=error)
            self.code, self.should_exit = RESTART_CODE, True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, without waiting for feeds."""
        self._console.desk.close_feeds()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes none."""
        yield


def http_config(app: Guard, settings: ConsoleSettings) -> uvicorn.Config:
    """How uvicorn serves a console."""
    tls = settings.tls
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=GuardedHttpProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        timeout_keep_alive=75,
        proxy_headers=False,
        ssl_certfile=tls.certificate_file if tls else None,
        ssl_keyfile=tls.key_file if tls else None,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the address. Raises OSError."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _tell(port_file: Path | None, port: int) -> None:
    if port_file is not None:
        port_file.parent.mkdir(parents=True, exist_ok=True)
        draft = port_file.with_name(port_file.name + ".new")
        draft.write_text(f"{port}\n")
        draft.replace(port_file)
    log.info("console_started", port=port)
