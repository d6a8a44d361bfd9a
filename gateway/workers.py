"""Several gateway processes on one address: the parent holds the socket and replaces a worker that dies.

A worker ends when its parent does, however that happened: it holds the reading end of a pipe whose writing end
only the parent has.
"""

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

import structlog

RESTART_SECONDS = 1.0
STOP_SECONDS = 20.0

Serve = Callable[[int, socket.socket], None]

log = structlog.get_logger("workers")


class Workers:
    """`count` processes that run `serve(number, socket)`; `serve` must be picklable."""

    def __init__(self, serve: Serve, count: int, listening: socket.socket) -> None:
        self._serve = serve
        self._listening = listening
        self._context = get_context("spawn")
        self._life, self._held = self._context.Pipe(duplex=False)
        self._stopping = threading.Event()
        self._wakeup_out, self._wakeup_in = self._context.Pipe(duplex=False)
        self._running: dict[int, SpawnProcess] = {}
        self._count = count

    def run(self) -> None:
        """Until SIGTERM or SIGINT; then every worker is asked to stop and waited for."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._hang_up())
        for number in range(self._count):
            self._start(number)
        while not self._stopping.is_set():
            wait([self._wakeup_out, *(process.sentinel for process in self._running.values())])
            self._replace_dead()
        self._end()

    def _stop(self) -> None:
        self._stopping.set()
        self._wakeup_in.send(None)

    def _hang_up(self) -> None:
        """Every worker reads its policies again."""
        for process in self._running.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGHUP)

    def _start(self, number: int) -> None:
        process = self._context.Process(
            target=_work, args=(self._serve, number, self._listening, self._life), name=f"gateway-{number}"
        )
        process.start()
        self._running[number] = process

    def _replace_dead(self) -> None:
        dead = [number for number, process in self._running.items() if not process.is_alive()]
        for number in dead:
            if self._stopping.is_set():
                return
            log.error("worker_died", worker=number, exit_code=self._running[number].exitcode)
            self._stopping.wait(RESTART_SECONDS)
            self._start(number)

    def _end(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.join(STOP_SECONDS)
            if process.is_alive():
                process.kill()


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.listen(2048)
    return listening


def shared_metrics_folder() -> None:
    """Lets the workers add up their metrics: must stand in the environment before they start."""
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="sluicegate-metrics-"))


def _work(serve: Serve, number: int, listening: socket.socket, life: Pipe) -> None:
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    serve(number, listening)


def _end_with_parent(life: Pipe) -> None:
    try:
        life.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
