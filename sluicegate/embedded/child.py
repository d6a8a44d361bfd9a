"""One running process of a part: its output goes to the log, its whole group ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping

from sluicegate.embedded.guard import Guard, signal_group
from sluicegate.embedded.logs import RotatingLog
from sluicegate.embedded.part import RESTART_ME, Part

CHUNK_BYTES = 64 * 1024
CHUNKS_LEFT_MAX = 16  # a pipe holds one; whoever still writes after the end is a stranger


class Child:
    """Made by `start_child`. `ended` may be awaited by several at once."""

    def __init__(self, process: asyncio.subprocess.Process, output: _Output, guard: Guard) -> None:
        self.pid = process.pid
        self._started = time.monotonic()
        self._process, self._output, self._guard = process, output, guard
        self._end = asyncio.create_task(self._reap(), name=f"reap {process.pid}")

    @property
    def ran_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    async def ended(self) -> int:
        """Wait for the end; the exit code, or minus the number of the signal that ended it."""
        return await asyncio.shield(self._end)

    async def stop(self, seconds: float, hurry: asyncio.Event) -> bool:
        """SIGTERM to the process, SIGKILL to its group after `seconds` or when `hurry` is set.

        Returns whether it ended by itself in time.
        """
        if not self._end.done():
            with contextlib.suppress(ProcessLookupError):  # it ended this moment
                self._process.terminate()
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait({self._end, hurried}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        in_time = self._end.done()
        if not in_time:
            signal_group(self.pid, signal.SIGKILL)
        await self.ended()
        return in_time

    async def _reap(self) -> int:
        code = await self._process.wait()
        signal_group(self.pid, signal.SIGKILL)  # whoever it started and left behind
        self._guard.forget(self.pid)
        self._output.close()
        return code


class _Output:
    """Reads one pipe into a log for as long as the pipe is open."""

    def __init__(self, read_end: int, log: RotatingLog) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipe, self._log, self._open = read_end, log, True
        os.set_blocking(read_end, False)
        self._loop.add_reader(read_end, self._read)

    def close(self) -> None:
        """Take what is in the pipe and let go of it, even if a stranger holds the other end."""
        for _ in range(CHUNKS_LEFT_MAX):
            if not self._open or not self._read():
                break
        if self._open:
            self._open = False
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)

    def _read(self) -> bool:
        """Log one chunk; whether there was one."""
        try:
            chunk = os.read(self._pipe, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if chunk:
            self._log.append(chunk)
        else:
            self._loop.remove_reader(self._pipe)
        return bool(chunk)


async def start_child(part: Part, marks: Mapping[str, str], log: RotatingLog, guard: Guard) -> Child:
    """Start the part's command in a session of its own.

    `marks` are added to its environment.

    Raises:
        OSError: the command cannot be run.
    """
    outer = os.environ if part.env is None else part.env
    read_end, write_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *part.argv,
            env={**outer, **marks},
            cwd=part.cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    guard.watch(process.pid)
    return Child(process, _Output(read_end, log), guard)


def ending_in_words(code: int) -> str:
    """How an exit code reads to a person."""
    if code == RESTART_ME:
        return "asked to be restarted"
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
