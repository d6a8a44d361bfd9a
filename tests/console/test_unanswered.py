"""The desk while no processor runs, or Kafka is away: it fails closed and says so."""

from __future__ import annotations

import asyncio

import pytest

from console.desk import DeskError
from tests.console.conftest import Floor, comes_to, new_desk, person


async def test_without_a_processor_nothing_is_claimed(floor: Floor) -> None:
    desk = new_desk(floor, answer_seconds=0.3)
    desk.start()
    try:
        await asyncio.wait_for(desk.wait_ready(), 60)
        approval = await floor.ask()
        await comes_to(desk, approval, "unread")
        with pytest.raises(DeskError, match="nobody has answered") as away:
            await desk.decide(approval, "approve", person("ann"))
        assert away.value.reason == "unavailable"
        assert [str(row["outcome"]) for row in await floor.acts(approval)] == ["asked", "failed"]
    finally:
        await desk.stop()
