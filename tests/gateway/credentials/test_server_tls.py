"""A gateway that speaks TLS itself: with its own certificate, by modern versions, and to nobody without."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn

from gateway.app import Gateway, http_config
from gateway.settings import GatewaySettings, ServerTls
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import KEY, Upstream, demo
from tests.support.certificates import Authority

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pods_list", "arguments": {}}}


@asynccontextmanager
async def secured(kafka: KafkaAddress, upstream: Upstream, tls: ServerTls) -> AsyncIterator[int]:
    """A gateway with its own certificate; its port."""
    gateway = Gateway(GatewaySettings("127.0.0.1", 0, (demo(upstream),), masking_key=KEY, tls=tls), kafka)
    config = http_config(gateway)
    config.loop = "none"
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve([listening]))
        async with asyncio.timeout(30):
            while gateway.fault:
                await asyncio.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def port(kafka: KafkaAddress, upstream: Upstream, authority: Authority) -> AsyncIterator[int]:
    pair = authority.issue("127.0.0.1")
    async with secured(kafka, upstream, ServerTls(pair.certificate, pair.key)) as served:
        yield served


async def test_calls_come_through_tls_and_in_no_other_way(
    port: int, authority: Authority, upstream: Upstream
) -> None:
    context = ssl.create_default_context(cafile=authority.ca)
    async with aiohttp.ClientSession() as session:
        async with session.post(f"https://127.0.0.1:{port}/mcp/demo", json=CALL, ssl=context) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"http://127.0.0.1:{port}/mcp/demo", json=CALL)
    assert upstream.requests == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
async def test_what_is_agreed_on_is_modern(port: int, authority: Authority, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=authority.ca)
    context.minimum_version = context.maximum_version = version
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    name, _, bits = writer.get_extra_info("cipher")
    writer.close()
    assert bits >= 128
    assert "GCM" in name or "CHACHA20" in name
