"""The life of one part: first start, then restart after restart until it is told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from sluicegate.embedded.child import Child, ending_in_words
from sluicegate.embedded.errors import PartFailed, StopAsked
from sluicegate.embedded.logs import RotatingLog
from sluicegate.embedded.part import RESTART_ME, Part, Restarts
from sluicegate.embedded.probes import NotReady
from sluicegate.embedded.say import Say

T = TypeVar("T")

Spawn = Callable[[], Awaitable[Child]]


@dataclass(frozen=True)
class StopSignals:
    """`stop`: begin to stop. `hurry`: do not wait for anybody any more."""

    stop: asyncio.Event
    hurry: asyncio.Event


class Keeper:
    """Runs one part. `bring_up` once, then `keep` until `stop`."""

    def __init__(
        self,
        part: Part,
        spawn: Spawn,
        log: RotatingLog,
        *,
        restarts: Restarts,
        signals: StopSignals,
        say: Say,
    ) -> None:
        self.part = part
        self.child: Child | None = None
        self._spawn, self._log, self._restarts, self._signals, self._say = spawn, log, restarts, signals, say
        self._task: asyncio.Task[None] | None = None

    async def bring_up(self) -> None:
        """Start the part for the first time and wait until it is ready; from then on keep it running.

        Raises:
            PartFailed: it ended, could not be run, or was not ready in time; the last log lines are told.
            StopAsked: the stack is to stop.
        """
        began = time.monotonic()
        self._say(f"{self.part.name}: starting")
        while True:
            code = await self._first_try(began + self.part.ready_seconds - time.monotonic())
            if code is None:
                break
            if code != RESTART_ME:
                raise self._failed(f"{ending_in_words(code)} before it was ready")
            await self._unless_stopped(self._pause(code))
        self._say(f"{self.part.name}: up after {time.monotonic() - began:.1f} s")
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def fault(self) -> None:
        """Wait for the keeping itself to fail, and raise what it failed with; for a part's own end it never does."""
        if self._task:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """End the part for good, in its own time or at once if in a hurry."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.child and not await self.child.stop(self.part.stop_seconds, self._signals.hurry):
            self._say(f"{self.part.name}: did not stop by itself and was killed")

    async def _first_try(self, left_s: float) -> int | None:
        """None when the part is ready, else the exit code with which it ended."""
        try:
            self.child = await self._spawn()
            return await self._unless_stopped(self._ready_or_ended(self.child, left_s))
        except NotReady as error:
            raise self._failed(f"was not ready within {self.part.ready_seconds:.0f} s ({error})") from error
        except OSError as error:
            raise self._failed(f"could not be run: {error}") from error

    async def _ready_or_ended(self, child: Child, timeout_s: float) -> int | None:
        """Wait for the first of both; None or the exit code."""
        ended = asyncio.create_task(child.ended())
        ready = asyncio.ensure_future(self.part.ready(max(timeout_s, 0.0)))
        first = await _first_of(ended, ready)
        return ended.result() if first is ended else ready.result()

    async def _unless_stopped(self, work: Coroutine[None, None, T]) -> T:
        """The result of `work`, or StopAsked as soon as a stop is asked for."""
        working = asyncio.create_task(work)
        stopped = asyncio.create_task(self._signals.stop.wait())
        if await _first_of(stopped, working) is stopped:
            raise StopAsked(f"Stopped while {self.part.name} was starting.")
        return working.result()

    async def _keep(self) -> None:
        """Whenever the part ends, wait and start it again. Ends by cancellation only."""
        while True:
            if self.child:
                await self._pause(await self.child.ended())
            await self._again()

    async def _pause(self, code: int) -> None:
        """Wait as long as the child's run and its exit code call for."""
        delay = self._restarts.delay_s(self.child.ran_s if self.child else 0.0, code)
        alarm = "" if code == RESTART_ME else f" (its log: {self._log.path})"
        self._say(f"{self.part.name}: {ending_in_words(code)}; starting again in {delay:.1f} s{alarm}")
        await asyncio.sleep(delay)

    async def _again(self) -> None:
        """Start once more; one that does not become ready is ended, so that it is tried again."""
        name = self.part.name
        try:
            self.child = await self._spawn()
            if await self._ready_or_ended(self.child, self.part.ready_seconds) is None:
                self._say(f"{name}: ready again")
        except NotReady as error:
            self._say(f"{name}: not ready within {self.part.ready_seconds:.0f} s ({error}); ending it")
            if self.child:
                await self.child.stop(self.part.stop_seconds, self._signals.hurry)
        except OSError as error:
            self.child = None
            self._say(f"{name}: could not be run: {error}")
            await asyncio.sleep(self._restarts.delay_s(0.0, 1))

    def _failed(self, what: str) -> PartFailed:
        lines = "".join(f"\n    {line}" for line in self._log.tail()) or " (it printed nothing)"
        return PartFailed(
            f"{self.part.name} {what}. Its last lines:{lines}\n"
            f"The whole log is {self._log.path}. Put right what it names, then start again."
        )


async def _first_of(one: asyncio.Future[Any], other: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """Whichever is done first (the first named if both are); the other one is cancelled and awaited."""
    both = (one, other)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return one if one.done() else other
    finally:
        for future in both:
            future.cancel()
        await asyncio.gather(*both, return_exceptions=True)
