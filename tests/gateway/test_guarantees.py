"""G1–G4, G6, G8 of the gateway, with a real broker behind a network that can fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from gateway.settings import Connection, Limits, Timeouts
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import ProxiedBroker, Upstream, demo, served
from tests.support.tcp_proxy import TcpProxy
from tests.support.trail import check_lanes, frames_of, read_frames

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pods_list", "arguments": {}}}
EVENTS = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def last_exchange(bootstrap: str) -> str:
    frames = await read_frames(bootstrap)
    return str(max(frames, key=lambda row: row.frame["recorded_at"]).frame["exchange_id"])


async def test_an_answer_passes_and_both_frames_are_in_the_trail(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    body = b'{"jsonrpc": "2.0",  "id":7, "result": {"content":[{"type":"text","text":"\\u0041"}], "isError":true}}'
    upstream.answer = b"HTTP/1.1 200 OK\r\nx-more: 1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with served(kafka, demo(upstream)) as gateway, client.post(gateway.url(), json=CALL) as response:
        assert (response.status, response.headers["x-more"]) == (200, "1")
        assert await response.read() == body  # G8
        asked, answered = await frames_of(kafka.bootstrap, await last_exchange(kafka.bootstrap), until=2)
    assert (asked["direction"], asked["method"], asked["tool"], asked["verdict"]) == (
        "request", "tools/call", "pods_list", "allow",
    )  # fmt: skip
    assert (answered["outcome"], answered["http_status"], answered["tool_is_error"]) == (
        "completed",
        200,
        True,
    )
    assert answered["body"] == body
    assert json.loads(asked["body"]) == CALL


async def test_g1_upstream_sees_no_byte_before_the_request_is_acknowledged(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    async with served(kafka, demo(upstream), deadline_seconds=10) as gateway:
        network.stall()
        call = asyncio.create_task(client.post(gateway.url(), json=CALL))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(upstream.asked.wait(), 0.5)
        assert not upstream.seen
        network.release()
        assert (await call).status == 200
        assert upstream.requests == 1


async def test_g2_the_client_sees_no_byte_of_an_event_before_its_record(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    upstream.answer = EVENTS.encode() + b"id: 1\ndata: {}\n\n"
    async with served(kafka, demo(upstream), deadline_seconds=10) as gateway:
        response = await client.post(gateway.url(), json=CALL)
        assert await response.content.readuntil(b"\n\n") == b"id: 1\ndata: {}\n\n"
        network.stall()
        assert upstream.writer is not None
        upstream.writer.write(b": ping\n\nretry: 5\ndata: two\n\n")
        read = asyncio.create_task(response.content.readuntil(b"two\n\n"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(read), 0.5)
        network.release()
        assert await read == b": ping\n\nretry: 5\ndata: two\n\n"
        response.close()


async def test_g3_audit_down_is_a_503_within_the_deadline_and_nothing_reaches_upstream(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    async with served(kafka, demo(upstream), deadline_seconds=1.0) as gateway:
        network.stall()
        started = asyncio.get_running_loop().time()
        responses = await asyncio.gather(*[client.post(gateway.url(), json=CALL) for _ in range(5)])
        waited = asyncio.get_running_loop().time() - started
        bodies = [await response.json() for response in responses]
        assert [response.status for response in responses] == [503] * 5
        assert waited < 2.5
        assert not upstream.seen
        assert bodies[0]["id"] == 7
        assert bodies[0]["error"]["data"]["reason"] == "audit_unavailable"
        network.release()
        exchange = bodies[0]["error"]["data"]["exchange_id"]
        asked, ended = await frames_of(kafka.bootstrap, exchange, until=2, seconds=20)
        assert (asked["outcome"], ended["direction"], ended["outcome"]) == ("pending", "end", "refused")
        assert ended["reason_code"] == "audit_unavailable"
        check_lanes(await read_frames(kafka.bootstrap))


async def test_g3_a_broker_that_is_down_closes_the_gateway_and_its_return_opens_it(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    async with served(kafka, demo(upstream), deadline_seconds=0.5) as gateway:
        network.cut()
        assert (await client.post(gateway.url(), json=CALL)).status == 503
        assert not upstream.seen
        assert (await client.get(f"http://127.0.0.1:{gateway.port}/readyz")).status == 503
        network.release()
        async with asyncio.timeout(20):
            while (await client.post(gateway.url(), json=CALL)).status != 200:
                await asyncio.sleep(0.05)
        check_lanes(await read_frames(kafka.bootstrap))


async def test_g4_an_answer_that_cannot_be_recorded_is_withheld_and_both_states_are_in_the_trail(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    upstream.may_answer.clear()
    async with served(kafka, demo(upstream), deadline_seconds=3.0) as gateway:
        call = asyncio.create_task(client.post(gateway.url(), json=CALL))
        await upstream.asked.wait()
        network.stall()
        upstream.may_answer.set()
        response = await call
        error = (await response.json())["error"]
        assert response.status == 502
        assert error["message"].startswith("executed, result withheld")
        network.release()
        frames = await frames_of(kafka.bootstrap, error["data"]["exchange_id"], until=3, seconds=20)
        assert [(f["direction"], f["outcome"]) for f in frames] == [
            ("request", "pending"),
            ("response", "completed"),
            ("end", "withheld"),
        ]


async def test_g6_a_client_that_leaves_is_recorded_and_upstream_notices(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    upstream.answer = EVENTS.encode() + b"data: {}\n\n"
    async with served(kafka, demo(upstream)) as gateway:
        response = await client.post(gateway.url(), json=CALL)
        await response.content.readuntil(b"\n\n")
        response.close()
        await asyncio.wait_for(upstream.left.wait(), 5)
        frames = await frames_of(kafka.bootstrap, await last_exchange(kafka.bootstrap), until=3)
    assert [frame["outcome"] for frame in frames] == ["pending", "pending", "client_gone"]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (b"", 502, "upstream_broke"),
        (b"SSH-2.0-x\r\n\r\n", 502, "upstream_broke"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
            502,
            "upstream_encoded",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + b"x" * 9999, 502, "response_too_large"),
    ],
)
async def test_g6_a_broken_answer_is_told_and_recorded(
    client: aiohttp.ClientSession,
    kafka: KafkaAddress,
    upstream: Upstream,
    answer: bytes,
    status: int,
    reason: str,
) -> None:
    upstream.answer = answer
    async with served(kafka, demo(upstream), limits=Limits(response_bytes_max=5000)) as gateway:
        call = asyncio.create_task(client.post(gateway.url(), json=CALL))
        await upstream.asked.wait()
        if not answer:
            assert upstream.writer is not None
            upstream.writer.transport.abort()
        response = await call
        error = (await response.json())["error"]
        frames = await frames_of(kafka.bootstrap, error["data"]["exchange_id"], until=2)
    assert (response.status, error["data"]["reason"]) == (status, reason)
    assert frames[-1]["reason_code"] == reason


async def test_g6_an_upstream_that_takes_too_long_is_left(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    upstream.may_answer.clear()
    slow = replace(demo(upstream), timeouts=Timeouts(response_seconds=0.3))
    async with served(kafka, slow) as gateway:
        response = await client.post(gateway.url(), json=CALL)
        error = (await response.json())["error"]
        frames = await frames_of(kafka.bootstrap, error["data"]["exchange_id"], until=2)
    assert response.status == 504
    assert frames[-1]["outcome"] == "timed_out"


async def test_g6_an_upstream_that_is_not_there_is_told_and_recorded(
    client: aiohttp.ClientSession, kafka: KafkaAddress
) -> None:
    async with served(kafka, Connection("demo", upstream="http://127.0.0.1:1/mcp")) as gateway:
        response = await client.post(gateway.url(), json=CALL)
        error = (await response.json())["error"]
        frames = await frames_of(kafka.bootstrap, error["data"]["exchange_id"], until=2)
    assert (response.status, error["data"]["reason"]) == (502, "upstream_unreachable")
    assert frames[-1]["outcome"] == "upstream_failed"


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "reason"),
    [
        ("nowhere", {}, b"{}", 404, "unknown_connection"),
        ("demo", {"Host": "evil.example"}, b"{}", 403, "host_not_allowed"),
        ("demo", {"Origin": "https://evil.example"}, b"{}", 403, "host_not_allowed"),
        ("demo", {"Content-Encoding": "gzip"}, b"{}", 415, "content_encoding"),
        ("demo", {"X-Long": "x" * 16_384}, b"{}", 431, "headers_too_large"),
        ("demo", {f"X-{number}": "1" for number in range(100)}, b"{}", 431, "headers_too_large"),
        ("demo", {}, b"[" * 500 + b"]" * 500, 400, "too_deep"),
        ("demo", {}, b" " * 2_000, 413, "body_too_large"),
        ("demo", {}, b"[" + b",".join([b"{}"] * 101) + b"]", 400, "batch_too_large"),
    ],
)
async def test_g12_what_crosses_a_limit_is_a_4xx_and_one_record_and_never_reaches_upstream(
    client: aiohttp.ClientSession,
    kafka: KafkaAddress,
    upstream: Upstream,
    path: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
    reason: str,
) -> None:
    async with served(kafka, demo(upstream), limits=Limits(body_bytes_max=1_500)) as gateway:
        response = await client.post(gateway.url(path), data=body, headers=headers)
        error = (await response.json())["error"]
        (frame,) = await frames_of(kafka.bootstrap, error["data"]["exchange_id"])
    assert (response.status, error["data"]["reason"]) == (status, reason)
    assert (frame["outcome"], frame["reason_code"], frame["http_status"]) == ("refused", reason, status)
    assert not upstream.seen


async def test_a_frame_above_the_message_limit_is_recorded_in_numbered_parts(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    body = b'{"jsonrpc":"2.0","id":7,"result":{"text":"' + b"0123456789" * 900_000 + b'"}}'
    upstream.answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    async with served(kafka, demo(upstream), deadline_seconds=10) as gateway:
        response = await client.post(gateway.url(), json=CALL)
        assert await response.read() == body
        exchange = await last_exchange(kafka.bootstrap)
        _, *parts = await frames_of(kafka.bootstrap, exchange, until=4)
    assert [(p["part"], p["parts"]) for p in parts] == [(1, 3), (2, 3), (3, 3)]
    assert len({str(p["frame_id"]) for p in parts}) == 1
    assert b"".join(p["body"] for p in parts) == body
    assert {p["body_bytes"] for p in parts} == {len(body)}


async def test_headers_of_one_hop_stay_there_and_credentials_are_not_written_down(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    secret = "Bearer tok-1234567890-secret"
    headers = {"Authorization": secret, "Connection": "keep-alive, X-Hop", "X-Hop": "1", "X-Kept": "2"}
    async with served(kafka, demo(upstream)) as gateway:
        response = await client.post(gateway.url(), json=CALL, headers=headers)
        await response.read()
        asked, _ = await frames_of(kafka.bootstrap, await last_exchange(kafka.bootstrap), until=2)
    seen = bytes(upstream.seen).lower()
    assert b"x-kept: 2" in seen
    assert b"x-hop" not in seen
    assert b"tok-1234567890" not in seen  # unless the connection says that the client's own goes on
    assert "authorization: [masked:credential]" in asked["http_headers"].lower()
    assert "tok-1234567890" not in str(asked)


async def test_the_lanes_of_everything_recorded_so_far_are_whole(
    proxied_broker: ProxiedBroker, network: TcpProxy, kafka: KafkaAddress
) -> None:
    assert check_lanes(await read_frames(kafka.bootstrap)) > 0
