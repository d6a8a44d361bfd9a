"""A gateway with real parts: broker behind a TCP proxy, uvicorn, an upstream that remembers what it saw."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import uvicorn

from gateway.app import Gateway, http_config
from gateway.settings import Connection, GatewaySettings, Holding, IdentitySettings, Limits, Telemetry
from schemas.kafka import KafkaAddress, ensure_topics
from tests.support.broker import running
from tests.support.proxied import proxied_broker_at
from tests.support.tcp_proxy import TcpProxy

KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class ProxiedBroker:
    """A broker that tells its clients to come through a proxy's port."""

    port: int
    proxy_port: int


@pytest.fixture(scope="session")
def proxied_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedBroker]:
    """One broker for all gateway tests; each test runs its own proxy on `proxy_port`."""
    home = Path(tmp_path_factory.mktemp("proxied-kafka"))
    broker, proxy_port = proxied_broker_at(home)
    with running(broker):
        yield ProxiedBroker(broker.port, proxy_port)


@pytest.fixture
async def network(proxied_broker: ProxiedBroker) -> AsyncIterator[TcpProxy]:
    """The way to the broker, open; a test may stall, slow or cut it."""
    proxy = TcpProxy("127.0.0.1", proxied_broker.port, proxied_broker.proxy_port)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def kafka(network: TcpProxy) -> KafkaAddress:
    """The broker through the network, with its topics."""
    address = KafkaAddress(f"127.0.0.1:{network.port}", embedded=True)
    await ensure_topics(address)
    return address


@dataclass
class Upstream:
    """An HTTP upstream on a raw socket: answers what it is told to, remembers every byte."""

    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    seen: bytearray = field(default_factory=bytearray)
    requests: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    writer: asyncio.StreamWriter | None = None
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request after the other on one connection."""
        self.writer = writer
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.seen += head
                length = next(
                    (
                        int(line[15:])
                        for line in head.lower().split(b"\r\n")
                        if line.startswith(b"content-length:")
                    ),
                    0,
                )
                self.seen += await reader.readexactly(length)
                self.requests += 1
                self.asked.set()
                await self.may_answer.wait()
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """An upstream that answers at once."""
    fake = Upstream()
    fake.may_answer.set()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    yield fake
    server.close()


@dataclass(frozen=True)
class Served:
    """A gateway that listens."""

    gateway: Gateway
    port: int

    def url(self, connection: str = "demo") -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}/mcp/{connection}"


@asynccontextmanager
async def served(
    kafka: KafkaAddress,
    *connections: Connection,
    limits: Limits | None = None,
    deadline_seconds: float = 10.0,
    identity: IdentitySettings | None = None,
    telemetry: Telemetry | None = None,
    holding: Holding | None = None,
) -> AsyncIterator[Served]:
    """A gateway as `sluicegate gateway` runs it, ready to record."""
    settings = GatewaySettings(
        "127.0.0.1", 0, connections, masking_key=KEY, record_deadline_seconds=deadline_seconds
    )
    settings = replace(
        settings,
        limits=limits or Limits(),
        identity=identity or IdentitySettings(),
        telemetry=telemetry or Telemetry(),
        holding=holding or Holding(),
    )
    gateway = Gateway(settings, kafka)
    listening = socket.create_server(("127.0.0.1", 0))
    config = http_config(gateway)
    config.loop = "none"
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        async with asyncio.timeout(30):
            while gateway.fault:
                await asyncio.sleep(0.01)
        yield Served(gateway, listening.getsockname()[1])
    finally:
        await gateway.endpoint.stop(1.0)
        server.should_exit = True
        await task
        listening.close()


def demo(upstream: Upstream) -> Connection:
    """The connection `demo` to an upstream of these tests."""
    return Connection("demo", upstream=f"http://127.0.0.1:{upstream.port}/mcp")
