"""Waiting for what comes under a name."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Bells(Generic[Thing]):
    """Whoever waits under a name is given the next thing that comes there."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[Thing]]] = {}

    def ring(self, name: str, thing: Thing) -> None:
        """Gives `thing` to all who wait under `name`."""
        for future in self._waiting.get(name, ()):
            if not future.done():
                future.set_result(thing)

    @contextmanager
    def waiting(self, name: str) -> Iterator["asyncio.Future[Thing]"]:
        """The next thing under `name`, from now on; nothing waits any more after the block."""
        future: asyncio.Future[Thing] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(name, set())
        waiting.add(future)
        try:
            yield future
        finally:
            future.cancel()
            waiting.discard(future)
            if not waiting and self._waiting.get(name) is waiting:
                del self._waiting[name]
