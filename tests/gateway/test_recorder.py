"""The recorder's bounds, and when it takes nothing: with a real broker behind a network that can fail."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from gateway.edge.recorder import Recorder
from gateway.effects import Draft
from gateway.facts import BLANK
from gateway.settings import Limits
from schemas.kafka import KafkaAddress, KafkaUnsafeError, check_topics
from tests.gateway.conftest import Upstream, demo, served
from tests.support.tcp_proxy import TcpProxy
from tests.support.trail import check_lanes, frames_of, read_frames

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pods_list", "arguments": {}}}
BASE = {**BLANK, "exchange_id": "01926f00-0000-7000-8000-00000000aaaa"}


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@asynccontextmanager
async def recording(kafka: KafkaAddress, deadline_seconds: float = 5.0) -> AsyncIterator[Recorder]:
    """A recorder that has begun to reach for Kafka."""
    recorder = Recorder(
        kafka, "test/boot/0", deadline_seconds=deadline_seconds, frames_max=100, bytes_max=1_000_000
    )
    recorder.start()
    try:
        yield recorder
    finally:
        await recorder.stop(2)


async def until_fault(recorder: Recorder, words: str) -> None:
    async with asyncio.timeout(30):
        while words not in recorder.fault:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def with_setting(kafka: KafkaAddress, name: str, value: str, normal: str) -> AsyncIterator[None]:
    """Topic frames with one setting changed."""
    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()

    async def put(new: str) -> None:
        resource = ConfigResource(ConfigResourceType.TOPIC, "frames", configs={**kept, name: new})
        await admin.alter_configs([resource])

    kept = {"min.insync.replicas": "1", "max.message.bytes": str(4 * 1024 * 1024)}
    try:
        await put(value)
        yield
    finally:
        await put(normal)
        await admin.close()


async def test_g12_a_full_queue_refuses_at_once_and_the_trail_says_how_many(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    limits = Limits(unrecorded_frames_max=3)
    async with served(kafka, demo(upstream), limits=limits, deadline_seconds=2.0) as gateway:
        loop = asyncio.get_running_loop()
        network.stall()
        waiting = [asyncio.create_task(client.post(gateway.url(), json=CALL)) for _ in range(3)]
        while gateway.gateway.recorder._queued_frames < 3:
            await asyncio.sleep(0.01)
        started = loop.time()
        refused = [await client.post(gateway.url(), json=CALL) for _ in range(5)]
        assert loop.time() - started < 1.0
        assert [response.status for response in refused] == [503] * 5
        assert [(await call).status for call in waiting] == [503] * 3
        assert not upstream.seen
        network.release()
        async with asyncio.timeout(20):
            while not gateway.gateway.recorder.ready:
                await asyncio.sleep(0.01)
        assert (await client.post(gateway.url(), json=CALL)).status == 200
        async with asyncio.timeout(30):
            while not [f for f in await never_queued(kafka) if f.startswith("13 frames")]:
                await asyncio.sleep(0.05)
        check_lanes(await read_frames(kafka.bootstrap))


async def never_queued(kafka: KafkaAddress) -> list[str]:
    """What the trail says of frames that found the queue full."""
    frames = await read_frames(kafka.bootstrap)
    return [r.frame["reason"] for r in frames if r.frame["reason_code"] == "frames_never_queued"]


async def test_g3_topics_that_may_lose_records_close_the_gateway_until_they_are_mended(
    kafka: KafkaAddress,
) -> None:
    async with with_setting(kafka, "unclean.leader.election.enable", "true", "false"):
        with pytest.raises(KafkaUnsafeError, match=r"unclean\.leader\.election\.enable=false"):
            await check_topics(kafka)
        async with recording(kafka) as recorder:
            await until_fault(recorder, "allows unclean leader election")
            assert not recorder.ready
            assert not await recorder.record(dict(BASE), [Draft("request")], 0.0)
    async with recording(kafka) as recorder:
        async with asyncio.timeout(30):
            while not recorder.ready:
                await asyncio.sleep(0.01)
        assert await recorder.record(dict(BASE), [Draft("request")], 0.0)


async def test_g3_one_broker_is_not_enough_where_it_is_not_the_embedded_one(kafka: KafkaAddress) -> None:
    async with recording(replace(kafka, embedded=False)) as recorder:
        await until_fault(recorder, "has 1 replicas, needs at least 3")
        assert "min.insync.replicas=1, needs 2" in recorder.fault
        assert not recorder.ready


async def test_g3_a_cluster_that_is_not_there_closes_the_gateway() -> None:
    async with recording(KafkaAddress("127.0.0.1:1", embedded=True)) as recorder:
        await until_fault(recorder, "cannot be reached")
        assert not await recorder.record(dict(BASE), [Draft("request")], 0.0)


HEAVY = {
    "a JSON-RPC id": ({}, b'{"jsonrpc":"2.0","id":"%b","method":"ping"}' % (b"i" * 5_000_000)),
    "a method": ({}, b'{"jsonrpc":"2.0","id":1,"method":"%b"}' % (b"m" * 5_000_000)),
    "a header": ({"x-heavy": "h" * 5_000_000}, b'{"jsonrpc":"2.0","id":1,"method":"ping"}'),
    "paths of secrets": (
        {},
        b"{%b}"
        % b",".join(b'"k%d%b":{"password":"hunter2-Secret-%d"}' % (n, b"x" * 8_000, n) for n in range(500)),
    ),
}


@pytest.mark.parametrize(("headers", "body"), HEAVY.values(), ids=HEAVY)
async def test_g12_no_request_is_too_heavy_for_the_trail_and_none_stops_those_after_it(
    client: aiohttp.ClientSession,
    kafka: KafkaAddress,
    upstream: Upstream,
    headers: dict[str, str],
    body: bytes,
) -> None:
    async with served(kafka, demo(upstream), deadline_seconds=10) as gateway:
        heavy = await client.post(gateway.url(), data=io.BytesIO(body), headers=headers)
        assert heavy.status != 503
        assert (await client.post(gateway.url(), json=CALL)).status == 200
        exchange = max(await read_frames(kafka.bootstrap), key=lambda row: row.frame["recorded_at"]).frame
        assert len(await frames_of(kafka.bootstrap, str(exchange["exchange_id"]), until=2)) == 2
        check_lanes(await read_frames(kafka.bootstrap))
