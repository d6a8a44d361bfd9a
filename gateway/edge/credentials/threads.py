"""Threads for libraries that block: a few, and nobody waits for them longer than a bound."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.edge.credentials.injector import CredentialError

THREADS_MAX = 4

T = TypeVar("T")


class Threads:
    """Those of one connection. `who` is named when time is up. A call that is given up goes on in its thread until
    its own time-outs end it: it keeps a place, and what it gives is forgotten."""

    def __init__(self, who: str, seconds: float) -> None:
        self._who = who
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="credentials")

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` gives. Raises CredentialError, also when it takes too long, and for whatever else it raises."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                return await loop.run_in_executor(self._pool, call)
        except TimeoutError:
            raise CredentialError(f"{self._who} did not answer in time") from None
        except CredentialError:
            raise
        except Exception as error:  # noqa: BLE001 - libraries raise what they like at answers that nobody foresaw
            raise CredentialError(
                f"what {self._who} answered cannot be understood ({type(error).__name__})"
            ) from None

    def close(self) -> None:
        """What has not begun does not begin."""
        self._pool.shutdown(wait=False, cancel_futures=True)
