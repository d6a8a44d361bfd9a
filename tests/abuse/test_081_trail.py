"""Kafka that will not take what is recorded, metrics that strangers could blow up, a clock that jumps."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from gateway.edge.clock import SKEW_MS, RecordClock
from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.gateway.conftest import Upstream, demo, served
from tests.support.broker import QUICK_START
from tests.support.tcp_proxy import TcpProxy
from tests.support.trail import read_frames

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "echo", "arguments": {}}}
HOUR_US = 3_600_000_000


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """An agent."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def refused(client: aiohttp.ClientSession, url: str) -> float:
    """How long a refusal took."""
    began = time.monotonic()
    async with client.post(url, json=CALL) as response:
        body = await response.json()
        assert response.status == 503
        assert body["error"]["data"]["reason"] == "audit_unavailable"
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["refusing", "hanging"])
async def test_abuse_81_a_broker_that_refuses_or_hangs_closes_the_gateway_within_the_deadline(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy, how: str
) -> None:
    async with served(kafka, demo(upstream), deadline_seconds=0.5) as gate:
        network.cut() if how == "refusing" else network.stall()
        assert await refused(client, gate.url()) < 2.5
        assert not upstream.seen
        network.release()


async def test_abuse_81_a_slow_broker_delays_what_is_in_time_and_closes_for_what_is_not(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    async with served(kafka, demo(upstream), deadline_seconds=5.0) as gate:
        network.stall()
        call = asyncio.create_task(client.post(gate.url(), json=CALL))
        await asyncio.wait([call], timeout=0.4)
        assert not upstream.seen  # G1, however slow
        network.release()
        async with await call as response:
            assert response.status == 200
        network.stall()
        await refused(client, gate.url())
        assert upstream.requests == 1
        network.release()


NO_ROOM = (
    "bash",
    "-c",
    'ulimit -f 12288; exec "$@"',
    "bash",
)  # no file grows beyond 12 MB, as on a full disk


def _started(broker: KafkaBroker, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen([*NO_ROOM, *broker.argv], env=broker.env, stdout=out, stderr=out)


async def test_abuse_81_a_broker_whose_disk_is_full_closes_the_gateway(
    client: aiohttp.ClientSession, upstream: Upstream, tmp_path: Path
) -> None:
    broker = KafkaBroker(tmp_path / "kafka", sync=False, heap_mb=256, extra_flags=QUICK_START)
    broker.prepare(plain_say)
    process = _started(broker, tmp_path / "broker.log")
    try:
        await broker.ready(60)
        kafka = KafkaAddress(broker.bootstrap, embedded=True)
        await ensure_topics(kafka)
        async with served(kafka, demo(upstream), deadline_seconds=1.0) as gate:
            heavy = {**CALL, "params": {"name": "echo", "arguments": {"text": "x" * 900_000}}}
            answered = 0
            async with asyncio.timeout(60):
                while True:
                    async with client.post(gate.url(), json=heavy) as response:
                        if response.status == 503:
                            break
                        answered += 1
            assert upstream.requests == answered  # what was refused was not executed
            seen = len(upstream.seen)
            await refused(client, gate.url())
            assert len(upstream.seen) == seen
    finally:
        process.kill()
        process.wait()


async def test_abuse_87_what_strangers_send_makes_no_new_series_of_metrics(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    async def series(gate_port: int) -> set[str]:
        async with client.get(f"http://127.0.0.1:{gate_port}/metrics") as page:
            lines = (await page.text()).splitlines()
        return {line.rpartition(" ")[0] for line in lines if line and not line.startswith("#")}

    async def stranger(port: int, number: int) -> None:
        call = {**CALL, "method": f"m{number}", "params": {"name": f"tool-{number}"}}
        headers = {
            "user-agent": f"agent-{number}",
            "mcp-session-id": f"s{number}",
            "x-forwarded-for": f"10.0.0.{number}",
        }
        for path in (f"/mcp/demo?x={number}", f"/mcp/demo-{number}", f"/nothing/{number}"):
            async with client.post(f"http://127.0.0.1:{port}{path}", json=call, headers=headers):
                pass

    async with served(kafka, demo(upstream)) as gate:
        await stranger(gate.port, 0)
        before = await series(gate.port)
        for number in range(1, 60):
            await stranger(gate.port, number)
        assert await series(gate.port) == before


async def test_abuse_88_a_clock_that_jumps_back_an_hour_leaves_the_order_and_is_flagged(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumped = [0]
    real = time.time_ns
    monkeypatch.setattr("gateway.edge.clock._wall_us", lambda: real() // 1_000 + jumped[0])
    agent = {"user-agent": "jumping"}
    async with served(kafka, demo(upstream)) as gate:
        for jumped[0] in (0, -HOUR_US, -HOUR_US, 0):
            async with client.post(gate.url(), json=CALL, headers=agent) as response:
                assert response.status == 200
    recorded = [row.frame for row in await read_frames(kafka.bootstrap)]
    frames = [frame for frame in recorded if frame["user_agent"] == "jumping"]
    frames.sort(key=lambda frame: frame["lane_seq"])
    times = [frame["recorded_at"] for frame in frames]
    assert times == sorted(times)
    assert max(times) - min(times) < timedelta(minutes=1)
    flags = [frame["attributes"].get(SKEW_MS) for frame in frames]
    assert flags[:2] == flags[6:] == [None, None]
    assert all(flag is not None and abs(int(flag) + 3_600_000) < 5_000 for flag in flags[2:6])


def test_abuse_88_a_clock_that_jumps_forward_is_followed_and_told_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall, steady = 1_000_000_000_000_000, 5_000_000
    monkeypatch.setattr("gateway.edge.clock._wall_us", lambda: wall)
    monkeypatch.setattr("gateway.edge.clock._steady_us", lambda: steady)
    clock = RecordClock()
    assert (clock.now(), clock.skew_us) == (wall, 0)
    wall, steady = wall + HOUR_US + 500, steady + 500
    assert (clock.now(), clock.skew_us) == (wall, HOUR_US)
    wall, steady = wall + 30_000_000, steady + 30_000_000
    assert clock.skew_us == HOUR_US
    assert clock.now() == wall
    wall, steady = wall + 31_000_000, steady + 31_000_000
    assert (clock.now(), clock.skew_us) == (wall, 0)
    wall, steady = wall - 300, steady + 200  # slewed: never back
    assert clock.now() == wall + 300
