"""How readers of Kafka live through its outages: what the client's own tasks do is not what was asked of it."""

import asyncio
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer

GOODBYE_SECONDS = 2.0
HALF_WAY_SECONDS = 1.0


class Startable(Protocol):
    """A consumer, a producer or an admin client."""

    async def start(self) -> None:
        """Reaches for Kafka."""
        ...


class Stoppable(Protocol):
    """A consumer or a producer."""

    async def stop(self) -> None:
        """Ends what it does."""
        ...


async def start_client(client: Startable) -> None:
    """Starts `client`, or leaves nothing open: aiokafka forgets the first connection of a start that is cancelled, so
    such a start is let come to its end, for at most `HALF_WAY_SECONDS`. Raises what `client.start` raises."""
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except BaseException:
        await _ended(starting, HALF_WAY_SECONDS)
        await _close_connections(client)
        raise


async def let_go(client: Stoppable, seconds: float = GOODBYE_SECONDS) -> BaseException | None:
    """Stops `client`, in a task of its own: what goes wrong there, and its cancellations, are nobody's. Gives what
    went wrong, None for nothing or where it took too long."""
    stopping = asyncio.ensure_future(client.stop())
    if not await _ended(stopping, seconds):
        await _close_connections(client)  # they come last in `stop`, which did not get there
        return None
    return None if stopping.cancelled() else stopping.exception()


def being_cancelled() -> bool:
    """Whether somebody has cancelled the task that asks: else a CancelledError is one of the client's own tasks'."""
    task = asyncio.current_task()
    return task is None or bool(task.cancelling())


async def _ended(task: "asyncio.Future[None]", seconds: float) -> bool:
    """Whether `task` has ended by itself within `seconds`; it is cancelled if not."""
    await asyncio.wait([task], timeout=seconds)
    if task.done():
        return True
    task.cancel()
    await asyncio.wait([task], timeout=HALF_WAY_SECONDS)
    return False


async def _close_connections(client: Any) -> None:
    wire = client.client if isinstance(client, AIOKafkaProducer) else client._client
    closing = asyncio.ensure_future(wire.close())
    await _ended(closing, HALF_WAY_SECONDS)
    if closing.done() and not closing.cancelled():
        closing.exception()  # of connections that are gone anyway; asyncio would complain of what nobody has seen
