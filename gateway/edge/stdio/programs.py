"""The programs of one connection: how many may run, when an idle one ends, and that all have ended at the end."""

import asyncio
from collections.abc import Callable

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.stdio.conversation import Conversation
from gateway.edge.stdio.guard import Guard
from gateway.edge.stdio.metrics import METRICS
from gateway.edge.stdio.program import Program
from gateway.effects import Broken
from gateway.settings import Connection

IDLE = Broken("upstream_failed", "upstream_broke", "its program was idle for too long and was ended")
STOPPING = Broken("upstream_failed", "gateway_stopping", "")


class Programs:
    """At most `processes_max` at a time. `spare` is asked to give one up when there is no place left."""

    def __init__(self, connection: Connection, spare: Callable[[], bool]) -> None:
        self._connection = connection
        self._spare = spare
        self._guard = Guard()
        self._places = asyncio.Semaphore(connection.stdio.processes_max)
        self._placed: set[Program] = set()  # each has a place until it is gone
        self._running: set[Program] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._count = METRICS.programs.labels(connection.name)

    async def run(self, conversation: Conversation) -> None:
        """Starts a program for `conversation`. Raises UpstreamBrokenError."""
        await self._place()
        program = Program(self._connection, self._guard, conversation)
        conversation.take(program)
        self._placed.add(program)
        self._running.add(program)
        self._count.inc()
        try:
            await program.start()
        except BaseException:
            self._gone(program)
            raise
        if program not in self._running:  # it was ended before it had begun
            await program.end()
            raise UpstreamBrokenError(conversation.over_with or program.fact(sent=False))
        self._watch_idle(conversation)

    def end(self, program: Program) -> None:
        """Ends a program; its place is free when it is gone."""
        if program in self._running:
            self._running.discard(program)
            task = asyncio.get_running_loop().create_task(self._end(program))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Returns when all have ended."""
        for program in list(self._running):
            self.end(program)
        while self._ending:
            await asyncio.gather(*self._ending)
        self._guard.close()

    async def _end(self, program: Program) -> None:
        try:
            await program.end()
        finally:
            self._gone(program)

    def _gone(self, program: Program) -> None:
        self._running.discard(program)
        if program in self._placed:
            self._placed.discard(program)
            self._count.dec()
            self._places.release()

    async def _place(self) -> None:
        """Waits for a place only when one is about to be free."""
        if self._places.locked() and not self._ending and not self._spare():
            raise UpstreamBrokenError(self._full())
        try:
            async with asyncio.timeout(self._connection.timeouts.connect_seconds):
                await self._places.acquire()
        except TimeoutError as exc:
            raise UpstreamBrokenError(self._full()) from exc

    def _full(self) -> Broken:
        text = f"all {self._connection.stdio.processes_max} programs of this connection are in use"
        return Broken("upstream_failed", "overloaded", text, sent=False)

    def _watch_idle(self, conversation: Conversation) -> None:
        limit = self._connection.stdio.idle_seconds
        loop = asyncio.get_running_loop()
        idle = 0.0 if conversation.busy else loop.time() - conversation.used
        if conversation.over_with is not None:
            return
        if idle >= limit:
            conversation.over(IDLE)
        else:
            loop.call_later(limit - idle, self._watch_idle, conversation)
