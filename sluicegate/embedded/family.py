"""Several processes as one: each is started again whenever it ends, and all stop together.

For containers, where one command stands for several workers and whoever runs it takes their logs: what they say goes
where this process's own output goes. No readiness is waited for; their probes tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Mapping

from sluicegate.embedded.child import ending_in_words
from sluicegate.embedded.guard import Guard, signal_group
from sluicegate.embedded.part import Backoff, Restarts
from sluicegate.embedded.say import Say, plain_say

STOP_SECONDS = 40.0  # a worker has 30 s for its own


async def run_family(
    members: Mapping[str, tuple[str, ...]],
    *,
    say: Say = plain_say,
    backoff: Backoff | None = None,
    stop_seconds: float = STOP_SECONDS,
) -> int:
    """Run the commands, by name, until SIGTERM or SIGINT. Gives 0 when all stopped in time, else 1."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    guard = Guard()
    try:
        kept = [
            _Member(name, argv, guard, Restarts(backoff or Backoff(), random.Random()), say)
            for name, argv in members.items()
        ]
        in_time = await asyncio.gather(*(member.keep(stop, stop_seconds) for member in kept))
    finally:
        await asyncio.to_thread(guard.close)
    return 0 if all(in_time) else 1


class _Member:
    """One command, kept running."""

    def __init__(self, name: str, argv: tuple[str, ...], guard: Guard, restarts: Restarts, say: Say) -> None:
        self._name, self._argv, self._guard = name, argv, guard
        self._restarts, self._say = restarts, say

    async def keep(self, stop: asyncio.Event, stop_seconds: float) -> bool:
        """Until `stop`; whether it then ended by itself within `stop_seconds`."""
        while not stop.is_set():
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
            )
            self._guard.watch(process.pid)
            try:
                code = await _unless(stop, process)
                if code is None:
                    return await self._stopped(process, stop_seconds)
            finally:
                signal_group(process.pid, signal.SIGKILL)  # whoever it started and left behind
                self._guard.forget(process.pid)
            delay = self._restarts.delay_s(time.monotonic() - began, code)
            self._say(f"{self._name}: {ending_in_words(code)}; started again in {delay:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
        return True

    async def _stopped(self, process: asyncio.subprocess.Process, seconds: float) -> bool:
        with contextlib.suppress(ProcessLookupError):  # it ended this moment
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            self._say(f"{self._name}: did not stop by itself and was killed")
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()
            return False
        return True


async def _unless(stop: asyncio.Event, process: asyncio.subprocess.Process) -> int | None:
    """The exit code; None when `stop` came first."""
    asked, ended = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
    if asked.done() and not ended.done():
        ended.cancel()
        return None
    return await ended
