"""How readers of Kafka live through its outages: what the client's own tasks do is not what was asked of it."""

import asyncio
from typing import Protocol

GOODBYE_SECONDS = 2.0


class Stoppable(Protocol):
    """A consumer or a producer."""

    async def stop(self) -> None:
        """Ends what it does."""
        ...


async def let_go(client: Stoppable, seconds: float = GOODBYE_SECONDS) -> BaseException | None:
    """Stops `client`, in a task of its own: what goes wrong there, and its cancellations, are nobody's. Gives what
    went wrong, None for nothing or where it took too long."""
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait([stopping], timeout=seconds)
    if not stopping.done():
        stopping.cancel()
        return None
    return None if stopping.cancelled() else stopping.exception()


def being_cancelled() -> bool:
    """Whether somebody has cancelled the task that asks: else a CancelledError is one of the client's own tasks'."""
    task = asyncio.current_task()
    return task is None or bool(task.cancelling())
