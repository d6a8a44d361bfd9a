"""A program that is run once, for what it prints: bounded in time and bytes, and gone with all it has started."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

OUTPUT_BYTES_MAX = 1024 * 1024
STDERR_BYTES_MAX = 16 * 1024
_STDOUT = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: `code` is negative when a signal ended it. Of `output` and `stderr` there is one byte more
    than their bound when there was more."""

    code: int
    output: bytes
    stderr: bytes


async def run(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> Ended:
    """Runs a command with nothing on stdin, in a process group of its own, which is killed when it has ended, when
    the time is over, and when nobody waits any more. Raises OSError or ValueError when it cannot be started, and
    TimeoutError."""
    loop = asyncio.get_running_loop()
    transport, listener = await loop.subprocess_exec(
        _Listener,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        env=dict(environment),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            await listener.ended.wait()
    finally:
        with suppress(ProcessLookupError, PermissionError):  # its group is gone already
            os.killpg(transport.get_pid(), signal.SIGKILL)
        await listener.exited.wait()
        transport.close()
    return Ended(transport.get_returncode() or 0, bytes(listener.output), bytes(listener.stderr))


class _Listener(asyncio.SubprocessProtocol):
    """Keeps the first bytes of what it says; the rest is read and forgotten, or it would wait for ever to say it."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.stderr = bytearray()
        self.exited = asyncio.Event()
        self.ended = asyncio.Event()  # it has exited, and nobody holds its pipes any more

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept, most = (self.output, OUTPUT_BYTES_MAX) if fd == _STDOUT else (self.stderr, STDERR_BYTES_MAX)
        kept += data[: most + 1 - len(kept)]

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.ended.set()
