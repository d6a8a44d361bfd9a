"""A large body is masked aside: others are served meanwhile, and nothing of it escapes."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp

from gateway.settings import Limits
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Upstream, demo, served

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"[:36]
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}}}


async def test_a_large_answer_is_masked_while_others_are_served(
    kafka: KafkaAddress, upstream: Upstream
) -> None:
    lines = [f"pod-{number} Running 0 3d 10.1.2.{number % 250}" for number in range(200_000)]
    lines[100_000] = f"token={SECRET}"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": lines}}).encode()
    upstream.answer = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    ) + body
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            worst = max(worst, time.monotonic() - before)

    async with (
        served(kafka, demo(upstream), limits=Limits(), deadline_seconds=10) as gate,
        aiohttp.ClientSession() as client,
    ):
        watcher = asyncio.create_task(watch())
        async with client.post(gate.url(), json=CALL) as response:
            answer = await response.read()
        watcher.cancel()
    assert len(body) > 6_000_000
    assert SECRET.encode() not in answer
    assert len(json.loads(answer)["result"]["content"]) == len(lines)
    print(f"the loop was held for {worst * 1000:.0f} ms at most")


async def test_g8_a_large_request_goes_on_as_it_came(kafka: KafkaAddress, upstream: Upstream) -> None:
    large = json.dumps({**CALL, "params": {"name": "t", "arguments": {"text": "x" * 600_000}}}).encode()
    async with served(kafka, demo(upstream)) as gate, aiohttp.ClientSession() as client:
        async with client.post(gate.url(), data=large) as response:
            assert response.status == 200
        assert large in bytes(upstream.seen)
