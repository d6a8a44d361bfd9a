"""Following `approvals.settled`: all partitions, only what can still matter, and never unnoticed standing still."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from gateway.edge.approvals import Approvals
from gateway.edge.approvals.reader import DAYS, Reader
from schemas.approvals import SETTLED
from schemas.kafka import KafkaAddress, ensure_topics
from tests.gateway.approvals.people import HOLDING, Office, held, somebody, until
from tests.support.tcp_proxy import TcpProxy

DAY_MS = 86_400_000


@asynccontextmanager
async def following(kafka: KafkaAddress, **over: Any) -> AsyncIterator[tuple[Reader, list[bytes]]]:
    """A reader that was started, and the values that it takes."""
    values: list[bytes] = []
    reader = Reader(kafka, lambda row: values.append(row.value), lambda: None, **over)
    reader.start()
    try:
        yield reader, values
    finally:
        await reader.stop()


async def put(office: Office, value: bytes, partition: int, age_days: float = 0.0) -> None:
    """A record of that age."""
    at = int(time.time() * 1_000 - age_days * DAY_MS)
    await office.producer.send_and_wait(SETTLED, value, partition=partition, timestamp_ms=at)


async def test_every_partition_is_read_and_nothing_that_is_too_old_to_matter(office: Office) -> None:
    mark = uuid4().hex
    for partition in range(4):
        await put(office, f"{mark} old {partition}".encode(), partition, DAYS + 1)
        await put(office, f"{mark} new {partition}".encode(), partition, DAYS - 1)
    async with following(office.kafka, clock=time.time) as (reader, values):
        await until(lambda: reader.ready)
        before = sorted(value.decode() for value in values if mark.encode() in value)
        for partition in range(4):
            await put(office, f"{mark} late {partition}".encode(), partition)
        await until(lambda: sum(f"{mark} late".encode() in value for value in values) == 4)
    fresh = [f"{mark} new {partition}" for partition in range(4)]
    assert set(before) >= set(fresh)
    assert reader.fault == ""


async def test_a_topic_that_has_nothing_of_late_is_ready_at_once(office: Office) -> None:
    async with following(office.kafka, clock=lambda: time.time() + 400 * 86_400) as (reader, values):
        await until(lambda: reader.ready)
        assert values == []
        await put(office, b"later", 2)
        await until(lambda: values == [b"later"])


async def test_a_row_that_nobody_can_take_stops_nothing(office: Office) -> None:
    taken: list[bytes] = []

    def take(row: Any) -> None:
        if row.value.startswith(b"poison"):
            raise RuntimeError("no")
        taken.append(row.value)

    mark = uuid4().bytes
    reader = Reader(office.kafka, take, lambda: None)
    reader.start()
    await put(office, b"poison" + mark, 1)
    await put(office, b"sound" + mark, 1)
    await until(lambda: b"sound" + mark in taken)
    await reader.stop()


async def test_without_kafka_a_view_is_not_ready_and_says_why() -> None:
    approvals = Approvals(KafkaAddress("127.0.0.1:1", embedded=True), HOLDING)
    approvals.start()
    await until(lambda: "cannot be read" in approvals.fault)
    call = held(somebody())
    assert not approvals.ready
    assert await approvals.ask(call) is None
    assert await approvals.use("0190a8c0-0000-7000-8000-000000000001", call) != ""
    assert not approvals.may_access(call.principal, "prod")
    await approvals.stop()


async def test_a_reader_that_stands_still_says_for_how_long_and_goes_on_where_it_was(
    network: TcpProxy,
) -> None:
    address = await behind(network)
    async with following(address, ask_seconds=0.3) as (reader, values):
        await until(lambda: reader.ready)
        await sent(address, b"before")
        await until(lambda: values == [b"before"])
        network.cut()
        await until(lambda: "cannot be read" in reader.fault)
        await until(lambda: reader.unheard_seconds > 2.0)
        assert reader.ready
        network.release()
        await until(lambda: not reader.fault and reader.unheard_seconds < 1.5)
        await sent(address, b"after")
        await until(lambda: values == [b"before", b"after"])


async def test_who_has_not_heard_for_long_lets_nothing_run_and_recovers(network: TcpProxy) -> None:
    address = await behind(network)
    approvals = Approvals(address, HOLDING, deadline_seconds=1.0)
    told: list[bool] = []
    approvals.subscribe(lambda: told.append(approvals.stale))
    approvals.start()
    await until(lambda: approvals.ready and not approvals.fault)
    call = held(somebody())
    assert await approvals.ask(call) is not None
    network.stall()
    assert await approvals.ask(held(somebody())) is None
    await until(lambda: approvals.stale, 25)
    assert await approvals.use("0190a8c0-0000-7000-8000-000000000001", call) == "approvals cannot be read now"
    await until(lambda: told and told[-1])
    network.release()
    await until(lambda: not approvals.stale and not approvals.fault, 30)
    assert await approvals.ask(held(somebody())) is not None
    await until(lambda: not told[-1])
    await approvals.stop()


async def behind(network: TcpProxy) -> KafkaAddress:
    """The broker through the network, with its topics."""
    address = KafkaAddress(f"127.0.0.1:{network.port}", embedded=True)
    await ensure_topics(address)
    return address


async def sent(address: KafkaAddress, value: bytes) -> None:
    """A record on the topic."""
    async with AIOKafkaProducer(bootstrap_servers=address.bootstrap, acks="all") as producer:
        await producer.send_and_wait(SETTLED, value, partition=3)
