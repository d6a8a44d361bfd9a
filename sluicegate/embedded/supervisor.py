"""The supervisor: starts parts in order, keeps them running, stops them in reverse order.

Signals: SIGINT, SIGTERM and SIGHUP ask for an orderly stop, a second one for an end without waiting.
Every part runs in a session of its own, so that a Ctrl-C reaches the supervisor alone.
"""

from __future__ import annotations

import asyncio
import random
import signal
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType

from sluicegate.embedded.child import Child, start_child
from sluicegate.embedded.errors import DataDirError, PartFailed, StopAsked
from sluicegate.embedded.guard import GRACE_S, Guard
from sluicegate.embedded.keeper import Keeper, StopSignals
from sluicegate.embedded.leftovers import MARK, PidFile, end_leftovers
from sluicegate.embedded.logs import RotatingLog
from sluicegate.embedded.part import Part, Restarts
from sluicegate.embedded.say import Say, plain_say

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

OnChange = Callable[[Mapping[str, int]], None]


class Supervisor:
    """Use as `async with`, in the main thread; leaving the block stops every part.

    Args:
        run_dir: where `parts.json` says what runs; what it says of an earlier run is ended first.
        log_dir: where NAME.log of every part goes.
        on_change: called with {part name: process id} whenever a part was started.
        dice: the chance in the restart delays.
        grace_s: how long the guard lets the parts stop by themselves if the supervisor is killed.
    """

    def __init__(
        self,
        run_dir: Path,
        log_dir: Path,
        *,
        say: Say = plain_say,
        on_change: OnChange | None = None,
        dice: random.Random | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.stop_flag = threading.Event()
        """Set together with the first stop signal, for work that runs in other threads."""
        self._run_dir, self._log_dir, self._say, self._on_change = run_dir, log_dir, say, on_change
        self._dice, self._grace_s = dice or random.Random(), grace_s
        self._signals = StopSignals(asyncio.Event(), asyncio.Event())
        self._pid_file = PidFile(run_dir / "parts.json")
        self._keepers: list[Keeper] = []
        self._logs: list[RotatingLog] = []
        self._guard: Guard | None = None

    async def __aenter__(self) -> Supervisor:
        loop = asyncio.get_running_loop()
        for number in STOPPING_SIGNALS:
            loop.add_signal_handler(number, self.ask_to_stop, signal.Signals(number).name)
        await asyncio.to_thread(end_leftovers, self._run_dir / "parts.json", self._say)
        self._guard = Guard(self._grace_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_all()
        if self._guard:
            await asyncio.to_thread(self._guard.close)
        for log in self._logs:
            log.close()
        for number in STOPPING_SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)

    def ask_to_stop(self, why: str) -> None:
        """Begin to stop; asked again, end everything at once."""
        if self._signals.stop.is_set():
            self._say(f"{why} again: killing what is left")
            self._signals.hurry.set()
            return
        self._say(f"{why}: stopping in order (once more to kill)")
        self._signals.stop.set()
        self.stop_flag.set()

    async def start(self, *parts: Part) -> None:
        """Start parts together, wait until all are ready, and keep them running from then on.

        Raises:
            PartFailed: one ended or was not ready in time.
            StopAsked: a stop was asked for; nothing new is started.
        """
        if self._signals.stop.is_set():
            raise StopAsked(f"Stopped before {', '.join(part.name for part in parts)} was started.")
        keepers = [self._keeper(part) for part in parts]
        self._keepers += keepers
        rising = [asyncio.ensure_future(keeper.bring_up()) for keeper in keepers]
        try:
            await asyncio.gather(*rising)
        finally:
            for task in rising:  # the first fault ends the start of the others, too
                task.cancel()
            await asyncio.gather(*rising, return_exceptions=True)

    async def wait(self) -> None:
        """Wait until somebody asks to stop. Raises what a fault of the supervisor itself raised."""
        stop = asyncio.create_task(self._signals.stop.wait())
        faults = [asyncio.create_task(keeper.fault()) for keeper in self._keepers]
        done, others = await asyncio.wait({stop, *faults}, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for task in done:
            task.result()

    def pids(self) -> dict[str, int]:
        """The parts that were started and their process ids, in order."""
        return {keeper.part.name: keeper.child.pid for keeper in self._keepers if keeper.child}

    def _keeper(self, part: Part) -> Keeper:
        try:
            log = RotatingLog(self._log_dir / f"{part.name}.log", self._say)
        except OSError as error:
            raise PartFailed(
                f"{part.name} was not started: its log in {self._log_dir} cannot be opened ({error}). "
                "Make that directory writable."
            ) from error
        self._logs.append(log)
        restarts = Restarts(part.backoff, self._dice)
        spawn = partial(self._spawn, part, log)
        return Keeper(part, spawn, log, restarts=restarts, signals=self._signals, say=self._say)

    async def _spawn(self, part: Part, log: RotatingLog) -> Child:
        if self._guard is None:
            raise RuntimeError("The supervisor is used outside its `async with` block.")
        child = await start_child(part, {MARK: self._pid_file.mark}, log, self._guard)
        self._announce({**self.pids(), part.name: child.pid})
        return child

    def _announce(self, pids: Mapping[str, int]) -> None:
        try:
            self._pid_file.write(pids)
            if self._on_change:
                self._on_change(pids)
        except (OSError, DataDirError) as error:
            # A full disk must not take running parts down; the guard still knows them all.
            self._say(f"the state in {self._run_dir} could not be written ({error})")

    async def _stop_all(self) -> None:
        for keeper in reversed(self._keepers):
            if keeper.child:
                self._say(f"{keeper.part.name}: stopping")
            await keeper.stop()
        self._pid_file.remove()
