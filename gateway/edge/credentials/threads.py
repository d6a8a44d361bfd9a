"""Threads for libraries that block: a few, and nobody waits for them longer than a bound."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Generic, TypeVar

from gateway.edge.credentials.injector import CredentialError

THREADS_MAX = 4

T = TypeVar("T")


class Threads:
    """Those of one connection. `who` is named when time is up. A call that is given up goes on in its thread until
    its own time-outs end it: it keeps its place, and what it gives is forgotten. None keeps the process from ending.
    """

    def __init__(self, who: str, seconds: float) -> None:
        self._who = who
        self._seconds = seconds
        self._places = asyncio.Semaphore(THREADS_MAX)

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` gives. Raises CredentialError, also when it takes too long, and for whatever else it raises."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
                return await _Errand(call, self._places.release).given
        except TimeoutError:
            raise CredentialError(f"{self._who} did not answer in time") from None
        except CredentialError:
            raise
        except Exception as error:  # noqa: BLE001 - libraries raise what they like at answers that nobody foresaw
            raise CredentialError(
                f"what {self._who} answered cannot be understood ({type(error).__name__})"
            ) from None


class _Errand(Generic[T]):
    """One call in a thread of its own; `given` is what comes of it, `over` is called when it has ended."""

    def __init__(self, call: Callable[[], T], over: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call
        self._over = over
        self.given: asyncio.Future[T] = self._loop.create_future()
        Thread(target=self._run, name="credentials", daemon=True).start()

    def _run(self) -> None:
        try:
            told = self.given.set_result, self._call()
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            told = self.given.set_exception, error  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody waits
            self._loop.call_soon_threadsafe(self._tell, *told)

    def _tell(self, tell: Callable[[T], None], what: T) -> None:
        self._over()
        if not self.given.done():
            tell(what)
