"""Messages pass both ways, each behind its record, over a real broker."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Served
from tests.gateway.sockets.conftest import (
    CLOSE,
    EXEC,
    QUERY,
    STDIN,
    STDOUT,
    SUCCESS,
    V5,
    Cluster,
    said,
    trail_of,
    url,
)
from tests.support.tcp_proxy import TcpProxy
from tests.support.trail import check_lanes, read_frames


async def test_a_command_runs_and_each_message_of_it_is_in_the_trail(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        assert socket.protocol == V5
        assert await socket.receive_bytes() == STDOUT
        await socket.send_bytes(STDIN + b"hello\n")
        assert await socket.receive_bytes() == STDOUT + b"hello\n"
        await socket.send_bytes(CLOSE + STDIN)
        assert await socket.receive_bytes() == SUCCESS
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1000
    frames = await trail_of(kafka.bootstrap)
    assert said(frames) == [
        ("stdout", b""),
        ("stdin", b"hello\n"),
        ("stdout", b"hello\n"),
        ("close", b"stdin"),
        ("error", SUCCESS[1:]),
    ]
    asked, opened, *_, end = frames
    assert (asked["direction"], asked["http_method"], asked["http_path"]) == (
        "request", "GET", f"/k8s/kube{EXEC}{QUERY}",
    )  # fmt: skip
    assert (opened["http_status"], opened["attributes"]["websocket.subprotocol"]) == (101, V5)
    assert (end["direction"], end["outcome"], end["reason_code"]) == ("end", "completed", "")
    assert end["attributes"]["websocket.close.by"] == "upstream"
    assert end["attributes"]["websocket.close.code"] == "1000"
    check_lanes(await read_frames(kafka.bootstrap))


async def test_upstream_gets_a_handshake_of_the_gateways_own(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster
) -> None:
    headers = {"Kubectl-Command": "kubectl exec", "Authorization": "Bearer abc", "Cookie": "a=b"}
    async with client.ws_connect(url(gate), protocols=(V5,), headers=headers) as socket:
        await socket.receive_bytes()
    (asked,) = cluster.asked
    assert asked.path_qs == EXEC + QUERY
    assert asked.headers["Kubectl-Command"] == "kubectl exec"
    assert asked.headers.getall("Sec-WebSocket-Protocol") == [V5]
    assert "Sec-WebSocket-Extensions" not in asked.headers
    assert "Authorization" not in asked.headers
    assert "Cookie" not in asked.headers


async def test_g1_upstream_gets_no_message_before_its_record(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, network: TcpProxy
) -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            got.put_nowait(message.data)

    cluster.script = listen
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        network.stall()
        await socket.send_bytes(STDIN + b"rm -rf /")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(got.get(), 0.4)
        network.release()
        assert await asyncio.wait_for(got.get(), 5) == STDIN + b"rm -rf /"


async def test_g2_the_client_gets_no_message_before_its_record(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, network: TcpProxy
) -> None:
    speak = asyncio.Event()

    async def tell(socket: web.WebSocketResponse) -> None:
        await speak.wait()
        await socket.send_bytes(STDOUT + b"told\n")
        await socket.receive()

    cluster.script = tell
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        network.stall()
        speak.set()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive_bytes(), 0.4)
        network.release()
        assert await asyncio.wait_for(socket.receive_bytes(), 5) == STDOUT + b"told\n"


async def test_a_thousand_messages_pass_both_ways_in_order_and_are_all_recorded(
    gate: Served, client: aiohttp.ClientSession, kafka: KafkaAddress
) -> None:
    lines = [b"line %d\n" % number for number in range(1000)]
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        await socket.receive_bytes()
        writing = asyncio.create_task(_write(socket, lines))
        came = [await asyncio.wait_for(socket.receive_bytes(), 20) for _ in lines]
        await writing
        await socket.send_bytes(CLOSE + STDIN)
        assert await socket.receive_bytes() == SUCCESS
    assert came == [STDOUT + line for line in lines]
    frames = said(await trail_of(kafka.bootstrap))
    assert [body for channel, body in frames if channel == "stdin"] == lines
    assert [body for channel, body in frames if channel == "stdout"] == [b"", *lines]


async def test_large_messages_pass_as_they_are(gate: Served, client: aiohttp.ClientSession) -> None:
    tar = bytes(range(256)) * 4096 * 4
    async with client.ws_connect(url(gate), protocols=(V5,), max_msg_size=0) as socket:
        await socket.receive_bytes()
        await socket.send_bytes(STDIN + tar)
        came = b""
        while len(came) < len(tar):
            came += (await asyncio.wait_for(socket.receive_bytes(), 20))[1:]
        assert came == tar


async def _write(socket: aiohttp.ClientWebSocketResponse, lines: list[bytes]) -> None:
    for line in lines:
        await socket.send_bytes(STDIN + line)
