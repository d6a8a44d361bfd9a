"""The desk while no processor runs, or Kafka is away: it fails closed and says so."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from console.desk import Desk, DeskError
from console.directory import Directory
from schemas.kafka import KafkaAddress
from tests.console.conftest import KEYS, PEOPLE, Floor, comes_to, new_desk, person
from tests.processors.trail import until


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


async def test_while_kafka_is_away_nothing_is_decided_and_the_fault_is_told() -> None:
    desk = Desk(KafkaAddress("127.0.0.1:1", embedded=True), KEYS, Directory(PEOPLE))
    desk.start()
    try:

        async def told() -> bool:
            return "cannot be" in desk.fault

        await until(told, 30)
        assert not desk.ready
        with pytest.raises(DeskError) as away:
            await desk.decide(str(uuid4()), "approve", person("ann"))
        assert away.value.reason == "unavailable"
        with pytest.raises(DeskError) as undelegated:
            await desk.delegate(person("ann"), person("eve"), time.time_ns() // 1_000 + 1_000_000)
        assert undelegated.value.reason == "unavailable"
    finally:
        await desk.stop()
