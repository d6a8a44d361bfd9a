"""Starting and stopping clients of Kafka, cancelled half-way."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from schemas.clients import let_go, start_client

STEPS = 60  # turns of the loop after which a start is cancelled, one after the other


@contextmanager
def left_open() -> Iterator[list[str]]:
    """What was never closed, once it is over."""
    gc.collect()
    told: list[str] = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield told
        gc.collect()
    told += [str(one.message) for one in seen if issubclass(one.category, ResourceWarning)]


async def cancelled_after(turns: int, starting: asyncio.Task[None]) -> bool:
    """Whether the cancellation came in time."""
    for _ in range(turns):
        await asyncio.sleep(0.0005)
    starting.cancel()
    await asyncio.wait([starting])
    return starting.cancelled()


async def test_a_start_that_is_cancelled_half_way_leaves_no_connection_open(broker: str) -> None:
    cut = 0
    with left_open() as told:
        for turns in range(STEPS):
            kind = AIOKafkaConsumer if turns % 2 else AIOKafkaProducer
            client = kind(bootstrap_servers=broker)
            cut += await cancelled_after(turns, asyncio.create_task(start_client(client)))
            await let_go(client)
            del client
    assert cut
    assert told == []


async def test_an_admin_client_cancelled_half_way_needs_no_closing(broker: str) -> None:
    cut = 0
    with left_open() as told:
        for turns in range(STEPS):
            admin = AIOKafkaAdminClient(bootstrap_servers=broker)
            if await cancelled_after(turns, asyncio.create_task(start_client(admin))):
                cut += 1
            else:
                await admin.close()
            del admin
    assert cut
    assert told == []


async def test_a_stop_that_takes_too_long_still_closes_the_connections(broker: str) -> None:
    with left_open() as told:
        for kind in (AIOKafkaConsumer, AIOKafkaProducer):
            client = kind(bootstrap_servers=broker)
            await start_client(client)
            assert await let_go(client, 0) is None
        del client
    assert told == []
