"""One processor of a worker from its start to its end, and what ends it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from processors.strict import StrictApp, exit_for_restart

log = structlog.get_logger(__name__)

STOP_SECONDS = 30.0

Beside = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""What runs beside Faust until the event is set."""


def stop_event() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    return stop


async def nothing(stop: asyncio.Event) -> None:
    """Beside a processor that is alone."""
    await stop.wait()


async def work(app: StrictApp, stop: asyncio.Event, beside: Beside = nothing, name: str = "nothing") -> int:
    """Run `app`, and `beside` with it, until `stop`; the exit code. Where one ends by itself, or does not stop in
    time, the process ends with RESTART_CODE. `name`: what `beside` is called."""
    app.finalize()
    await app.start()
    log.info("processor_started")
    watching = asyncio.create_task(beside(stop))
    await first(stop.wait(), app.wait_until_stopped(), asyncio.shield(watching))
    if not stop.is_set():
        exit_for_restart(f"{name} ended by itself" if watching.done() else "Faust ended by itself")
    log.info("processor_stopping")
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await app.stop()
            await watching
    except TimeoutError:
        exit_for_restart(f"did not stop within {STOP_SECONDS:.0f} s")
    log.info("processor_stopped")
    return 0


async def first(*waits: Awaitable[Any]) -> None:
    """Return when one of `waits` is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
