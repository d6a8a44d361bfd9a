"""Tasks that nobody waits for: bounded, held, told of when they fail, ended with the process."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.edge import background
from gateway.edge.background import Background


async def test_more_than_the_bound_is_not_begun_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "TASKS_MAX", 2)
    tasks, gate, begun = Background(), asyncio.Event(), []

    async def work(number: int) -> None:
        begun.append(number)
        await gate.wait()

    assert [tasks.run(work(number)) for number in range(3)] == [True, True, False]
    gate.set()
    await tasks.stop(5)
    assert begun == [0, 1]
    assert tasks.run(work(3))
    await tasks.stop(5)
    assert begun == [0, 1, 3]


async def test_a_failure_is_told_by_its_type_alone() -> None:
    tasks = Background()

    async def fails() -> None:
        raise ValueError("secret-value")

    with capture_logs() as logs:
        assert tasks.run(fails())
        await tasks.stop(5)
        await asyncio.sleep(0)
    assert [(each["event"], each["error"]) for each in logs] == [("background_failed", "ValueError")]
    assert "secret-value" not in repr(logs)


async def test_what_does_not_end_in_time_is_ended() -> None:
    tasks, ended = Background(), asyncio.Event()

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert tasks.run(for_ever())
    await tasks.stop(0.01)
    assert ended.is_set()


async def test_nothing_under_way_is_nothing_to_wait_for() -> None:
    await Background().stop(5)
