"""One child process that speaks MCP over stdio: its lines in and out, its bounds, its end."""

import asyncio
import contextlib
import os
import signal
from typing import Protocol, cast

import structlog

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.stdio.guard import Guard, signal_group
from gateway.edge.stdio.lines import LineSplitter, LineTooLongError
from gateway.effects import Broken
from gateway.settings import Connection

ENDING = ((0, 1.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0))  # signal, and seconds to wait after it
_INHERITED = ("PATH", "HOME", "LANG")
_STDIN, _STDOUT = 0, 1
_LATE_SECONDS = 0.5  # between the end of stdout and the exit, which tells more; either may not come at all

log = structlog.get_logger("gateway.stdio")


class Listener(Protocol):
    """Who hears what a program says."""

    def line(self, line: bytes) -> None:
        """One line, without its line end; not blank."""

    def over(self, fact: Broken) -> None:
        """The program says no more. Called once, after its last line."""


class Program(asyncio.SubprocessProtocol):
    """A program of a connection, in a process group of its own.

    It sees PATH, HOME and LANG of the gateway and what the connection gives it, nothing else: the gateway's own
    environment holds secrets. stderr is read and forgotten, for programs write secrets there.
    """

    def __init__(self, connection: Connection, guard: Guard, listener: Listener) -> None:
        self._connection = connection
        self._guard = guard
        self._listener = listener
        self._transport: asyncio.SubprocessTransport | None = None
        self._splitter = LineSplitter(connection.stdio.line_bytes_max)
        self._exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._stdout_closed = False
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._pressing: set[object] = set()
        self._over = False
        self._fault = ""
        self._stderr_bytes = 0

    async def start(self) -> None:
        """Runs the command. Raises UpstreamBrokenError."""
        loop = asyncio.get_running_loop()
        try:
            await loop.subprocess_exec(
                lambda: self,
                *self._connection.command,
                env=_environment(self._connection),
                start_new_session=True,
            )
        except (OSError, ValueError) as exc:
            log.warning("program_not_started", connection=self._connection.name, error=type(exc).__name__)
            fact = Broken("upstream_failed", "upstream_unreachable", _not_started(exc), sent=False)
            raise UpstreamBrokenError(fact) from exc

    @property
    def pid(self) -> int:
        """Its process id, and that of its group; 0 before it is started."""
        return self._transport.get_pid() if self._transport else 0

    @property
    def ended(self) -> bool:
        """Whether it has exited or said its last."""
        return self._over or self._exited.is_set()

    @property
    def stalled(self) -> bool:
        """Whether a slow client keeps it from being read."""
        return bool(self._pressing)

    async def write(self, line: bytes) -> None:
        """Gives it a line (with its newline). Raises UpstreamBrokenError: it has ended, or it does not read."""
        try:
            async with asyncio.timeout(self._connection.timeouts.connect_seconds):
                await self._may_write.wait()
        except TimeoutError as exc:
            fact = Broken("timed_out", "upstream_unreachable", "its program does not read", sent=False)
            raise UpstreamBrokenError(fact) from exc
        if self.ended:
            raise UpstreamBrokenError(self.fact(sent=False))
        self.tell(line)

    def tell(self, line: bytes) -> None:
        """Gives it a line that nobody waits for; nothing happens when it has ended."""
        if not self.ended and (pipe := self._pipe(_STDIN)) is not None:
            cast("asyncio.WriteTransport", pipe).write(line)

    def press(self, who: object, full: bool) -> None:
        """Its lines are not read as long as anybody who hears them is full."""
        before = self.stalled
        (self._pressing.add if full else self._pressing.discard)(who)
        pipe = cast("asyncio.ReadTransport | None", self._pipe(_STDOUT))
        if pipe is None or pipe.is_closing() or before is self.stalled:
            return
        if self.stalled:
            pipe.pause_reading()
        else:
            pipe.resume_reading()

    async def end(self) -> None:
        """Closes its stdin, then asks it to end, then kills it; returns when it and its group are gone."""
        if self._transport is None:
            return
        if (pipe := self._pipe(_STDIN)) is not None:
            pipe.close()
        for number, seconds in ENDING:
            if number:
                signal_group(self.pid, number)
            try:
                async with asyncio.timeout(seconds):
                    await self._exited.wait()
                break
            except TimeoutError:
                continue
        else:
            log.error("program_not_ended", connection=self._connection.name, pid=self.pid)
        self._transport.close()
        with contextlib.suppress(TimeoutError):  # what it has started may hold its pipes open
            async with asyncio.timeout(1.0):
                await self._closed.wait()

    def fact(self, sent: bool = True) -> Broken:
        """How it ended."""
        code = self._transport.get_returncode() if self._transport else None
        ended = f"with status {code}" if code is None or code >= 0 else f"by signal {-code}"
        reason = self._fault or (
            f"its program ended {ended}" if code is not None else "its program closed stdout"
        )
        return Broken("upstream_failed", "upstream_broke", reason, sent=sent)

    # -- asyncio.SubprocessProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._guard.watch(self.pid)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd != _STDOUT:
            self._stderr_bytes += len(data)
            return
        if self._over:
            return
        try:
            lines = self._splitter.feed(data)
        except LineTooLongError as exc:
            self._fault = f"its program wrote too much: {exc}"
            self._finish()
            return
        for line in lines:
            if line.strip():
                self._listener.line(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del exc
        if fd == _STDOUT:
            self._stdout_closed = True
            self._finish_soon()
        elif fd == _STDIN:
            self._may_write.set()  # whoever waits to write must learn that it is too late

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def process_exited(self) -> None:
        signal_group(self.pid, signal.SIGKILL)  # what it has started must not live on, nor hold stdout open
        self._guard.forget(self.pid)
        self._exited.set()
        self._may_write.set()
        log.debug("program_ended", connection=self._connection.name, stderr_bytes=self._stderr_bytes)
        self._finish_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._closed.set()
        self._finish()

    def _finish_soon(self) -> None:
        if self._stdout_closed and self._exited.is_set():
            self._finish()
        else:
            asyncio.get_running_loop().call_later(_LATE_SECONDS, self._finish_late)

    def _finish_late(self) -> None:
        if self.stalled and not self._stdout_closed:
            self._finish_soon()  # its last lines are still to be read
        else:
            self._finish()

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._listener.over(self.fact())

    def _pipe(self, fd: int) -> asyncio.BaseTransport | None:
        return self._transport.get_pipe_transport(fd) if self._transport else None


def _environment(connection: Connection) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | dict(connection.env)


def _not_started(exc: Exception) -> str:
    """What is wrong, without the command line, which may hold a secret."""
    why = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else type(exc).__name__
    return f"its program could not be started: {why}"
