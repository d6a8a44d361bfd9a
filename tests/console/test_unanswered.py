"""The desk while no processor runs, or Kafka is away: it fails closed and says so."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from uuid import uuid4

import pytest

from console.desk import Desk, DeskError
from console.directory import Directory
from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.console.conftest import KEYS, PEOPLE, Floor, comes_to, new_desk, person
from tests.processors.trail import until
from tests.support.broker import QUICK_START, running


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


@pytest.mark.timeout(240)
async def test_a_desk_goes_on_where_it_was_once_kafka_is_back(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path, sync=False, heap_mb=256, extra_flags=QUICK_START)
    broker.prepare(plain_say)
    floor = Floor(broker.bootstrap)
    desk = new_desk(floor)

    async def faulty() -> bool:
        return bool(desk.fault)

    async def sound() -> bool:
        return not desk.fault

    try:
        with running(broker):
            await ensure_topics(floor.kafka)
            desk.start()
            await asyncio.wait_for(desk.wait_ready(), 60)
            before = await floor.ask()
            await comes_to(desk, before, "unread")
        await until(faulty, 60)
        assert desk.ready
        with running(broker):
            after = await floor.ask()
            await comes_to(desk, after, "unread")
            await until(sound, 60)
        assert desk.standing(before)
    finally:
        await desk.stop()
