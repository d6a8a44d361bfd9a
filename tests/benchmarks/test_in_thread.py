"""A context in a thread is left, whenever its task ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.held import in_thread


async def test_who_is_cancelled_while_it_enters_leaves_it_all_the_same() -> None:
    entering, go_on, left = threading.Event(), threading.Event(), threading.Event()

    @contextmanager
    def slow() -> Iterator[None]:
        entering.set()
        go_on.wait(10)
        try:
            yield
        finally:
            left.set()

    async def enter() -> None:
        async with in_thread(slow()):
            raise AssertionError("it was cancelled before")

    task = asyncio.create_task(enter())
    await asyncio.to_thread(entering.wait, 10)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left.is_set()


async def test_what_cannot_be_entered_is_told() -> None:
    @contextmanager
    def broken() -> Iterator[None]:
        raise OSError("no port")
        yield

    with pytest.raises(OSError, match="no port"):
        async with in_thread(broken()):
            pass
