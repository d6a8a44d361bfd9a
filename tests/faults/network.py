"""G3 with the broker stopped, hung and slow: how long a client waits, and whether upstream saw anything."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from gateway.settings import Connection
from schemas.kafka import KafkaAddress, ensure_topics
from tests.faults.upstream import MarkedUpstream
from tests.gateway.conftest import Served, served
from tests.support.broker import running
from tests.support.proxied import proxied_broker_at
from tests.support.tcp_proxy import TcpProxy

DEADLINE_SECONDS = 5.0
CALLS = 20


@dataclass(frozen=True)
class Outage:
    """What clients saw while the way to the broker was in one state."""

    state: str
    statuses: dict[int, int]
    slowest_seconds: float
    forwarded: int
    recovered_seconds: float

    @property
    def held(self) -> bool:
        """Closed within the deadline (and a second for the machine), nothing forwarded, open again after."""
        closed = set(self.statuses) == {503} and self.forwarded == 0
        return closed and self.slowest_seconds <= DEADLINE_SECONDS + 1.0


async def outages() -> list[Outage]:
    """Each kind of outage in turn, on one gateway and one broker with a proxy between."""
    with tempfile.TemporaryDirectory() as folder:
        broker, port = proxied_broker_at(Path(folder))
        with running(broker):
            proxy = TcpProxy("127.0.0.1", broker.port, port)
            await proxy.start()
            try:
                return await _through(proxy)
            finally:
                await proxy.stop()


async def _through(proxy: TcpProxy) -> list[Outage]:
    kafka = KafkaAddress(f"127.0.0.1:{proxy.port}", embedded=True)
    await ensure_topics(kafka)
    async with MarkedUpstream() as upstream:
        connection = Connection("demo", upstream=upstream.url)
        async with served(kafka, connection, deadline_seconds=DEADLINE_SECONDS) as gateway:
            return [await _outage(state, proxy, gateway, upstream) for state in ("stopped", "hung", "slow")]


async def _outage(state: str, proxy: TcpProxy, gateway: Served, upstream: MarkedUpstream) -> Outage:
    upstream.seen.clear()
    match state:
        case "stopped":
            proxy.cut()
        case "hung":
            proxy.stall()
        case _:
            proxy.delay_seconds = 20.0
    calls = await asyncio.gather(*[_call(gateway, number) for number in range(CALLS)])
    forwarded = len(upstream.seen)
    proxy.delay_seconds = 0.0
    proxy.release()
    started = asyncio.get_running_loop().time()
    async with asyncio.timeout(120):
        while (await _call(gateway, 999))[0] != 200:
            await asyncio.sleep(0.1)
    recovered = asyncio.get_running_loop().time() - started
    statuses = {status: sum(1 for s, _ in calls if s == status) for status, _ in calls}
    return Outage(state, statuses, max(seconds for _, seconds in calls), forwarded, recovered)


async def _call(gateway: Served, number: int) -> tuple[int, float]:
    started = asyncio.get_running_loop().time()
    body = (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"p","arguments":{"mark":"m-%d"}}}'
        % number
    )
    async with aiohttp.ClientSession() as session, session.post(gateway.url(), data=body) as answer:
        await answer.read()
        return answer.status, asyncio.get_running_loop().time() - started
