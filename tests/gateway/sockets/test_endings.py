"""Every way in which a WebSocket ends: both sides learn it, and one truthful record tells it (G3, G4, G6)."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web

from gateway.edge.announce import Announcer, stamp
from gateway.settings import IdentitySettings
from schemas.control import session_killed
from schemas.kafka import KafkaAddress
from tests.gateway.callers.conftest import Callers, callers, identity, provider
from tests.gateway.conftest import Served, served
from tests.gateway.sockets.conftest import STDIN, STDOUT, SUCCESS, V5, Cluster, kube, trail_of, url
from tests.gateway.sockets.test_handshakes import encoded
from tests.support.tcp_proxy import TcpProxy

__all__ = ["callers", "identity", "provider"]


async def closed(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, str]:
    """The code and the reason that the socket was closed with."""
    async with asyncio.timeout(30):
        message = await socket.receive()
        while message.type is aiohttp.WSMsgType.BINARY:
            message = await socket.receive()
    return socket.close_code, str(message.extra or "")


async def test_a_client_that_closes_ends_it(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        await socket.receive_bytes()
        await socket.close(code=1000, message=b"done")
    await asyncio.wait_for(cluster.over.wait(), 5)
    assert cluster.codes == [1000]
    end = (await trail_of(kafka.bootstrap))[-1]
    assert (end["outcome"], end["attributes"]["websocket.close.by"]) == ("completed", "client")
    assert end["attributes"]["websocket.close.reason"] == "done"


async def test_a_client_that_vanishes_is_gone(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    socket = await client.ws_connect(url(gate), protocols=(V5,))
    await socket.receive_bytes()
    transport = socket._writer.transport
    assert transport is not None
    transport.abort()
    await asyncio.wait_for(cluster.over.wait(), 5)
    assert cluster.codes == [1001]
    end = (await trail_of(kafka.bootstrap))[-1]
    assert (end["outcome"], end["reason_code"]) == ("client_gone", "client_gone")
    assert end["attributes"]["websocket.close.code"] == "1006"


async def test_what_a_client_says_before_it_closes_reaches_upstream(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster
) -> None:
    got: list[bytes] = []

    async def listen(socket: web.WebSocketResponse) -> None:
        got.extend([message.data async for message in socket])

    cluster.script = listen
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        for number in range(50):
            await socket.send_bytes(STDIN + b"%d" % number)
    await asyncio.wait_for(cluster.over.wait(), 5)
    assert got == [STDIN + b"%d" % number for number in range(50)]


async def test_upstream_that_breaks_off_is_told_as_that(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async def vanish(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(STDOUT + b"half a l")
        transport = socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.close()

    cluster.script = vanish
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        assert await socket.receive_bytes() == STDOUT + b"half a l"
        assert (await closed(socket))[0] == 1011
    end = (await trail_of(kafka.bootstrap))[-1]
    assert (end["outcome"], end["reason_code"]) == ("upstream_failed", "upstream_broke")


async def test_upstream_that_breaks_off_behind_the_commands_status_has_completed(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async def finish(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(SUCCESS)
        transport = socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.close()

    cluster.script = finish
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        assert await socket.receive_bytes() == SUCCESS
        assert (await closed(socket))[0] == 1000
    assert (await trail_of(kafka.bootstrap))[-1]["outcome"] == "completed"


async def test_g3_a_trail_that_cannot_be_written_closes_the_socket_and_nothing_passes(
    gate: Served,
    client: aiohttp.ClientSession,
    cluster: Cluster,
    kafka: KafkaAddress,
    network: TcpProxy,
) -> None:
    got: list[bytes] = []

    async def listen(socket: web.WebSocketResponse) -> None:
        got.extend([message.data async for message in socket])

    cluster.script = listen
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        network.stall()
        await socket.send_bytes(STDIN + b"rm -rf /")
        code, reason = await closed(socket)
    assert code == 1011
    assert reason.startswith("audit_unavailable")
    await asyncio.wait_for(cluster.over.wait(), 5)
    assert got == []
    network.release()
    frames = await trail_of(kafka.bootstrap, outcome="withheld")
    assert (frames[-1]["outcome"], frames[-1]["reason_code"]) == ("withheld", "result_withheld")


async def test_g3_a_handshake_is_refused_while_the_trail_cannot_be_written(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, network: TcpProxy
) -> None:
    network.stall()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(url(gate), protocols=(V5,))
    network.release()
    assert refused.value.status == 503
    assert not cluster.asked


async def test_upstream_that_cannot_be_reached_is_an_ordinary_answer(
    kafka: KafkaAddress, cluster: Cluster, client: aiohttp.ClientSession
) -> None:
    port, cluster.port = cluster.port, 1
    async with served(kafka, kube(cluster)) as gate:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(url(gate), protocols=(V5,))
    cluster.port = port
    assert refused.value.status == 502
    end = (await trail_of(kafka.bootstrap))[-1]
    assert (end["outcome"], end["reason_code"]) == ("upstream_failed", "upstream_unreachable")


async def test_a_gateway_that_stops_ends_its_sockets_each_with_its_record(
    client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async with served(kafka, kube(cluster)) as gate:
        socket = await client.ws_connect(url(gate), protocols=(V5,))
        await socket.receive_bytes()
        ending = asyncio.create_task(closed(socket))
        await gate.gateway.endpoint.stop(1.0)
        assert (await ending)[0] == 1012
    end = (await trail_of(kafka.bootstrap))[-1]
    assert end["reason_code"] == "gateway_stopping"
    assert cluster.codes == [1001]


async def test_an_operators_kill_ends_it_within_two_seconds(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async with client.ws_connect(url(gate), protocols=(V5,)) as socket:
        await socket.receive_bytes()
        (asked, *_) = await trail_of(kafka.bootstrap, outcome="pending")
        record = session_killed(stamp(), str(asked["session_id"]), by="test", reason="an incident")
        announcer = Announcer(kafka)
        announcer.start()
        began = time.monotonic()
        assert await announcer.control(record["target"], record)
        code, reason = await closed(socket)
        took = time.monotonic() - began
        assert await announcer.control(record["target"], None)
        await announcer.stop()
    assert (code, reason.partition(":")[0]) == (1008, "session_killed")
    assert took < 2
    await asyncio.wait_for(cluster.over.wait(), 5)
    end = (await trail_of(kafka.bootstrap))[-1]
    assert (end["outcome"], end["reason_code"]) == ("withheld", "session_killed")


async def test_a_socket_lives_no_longer_than_the_token_it_was_opened_with(
    kafka: KafkaAddress,
    cluster: Cluster,
    client: aiohttp.ClientSession,
    callers: Callers,
    identity: IdentitySettings,
) -> None:
    async with served(kafka, kube(cluster), identity=identity) as gate:
        token = callers.token("alice", seconds=5)
        offered = (encoded(token.encode()), V5)
        socket = await client.ws_connect(url(gate), protocols=offered)
        assert await socket.receive_bytes() == STDOUT
        code, reason = await closed(socket)
    assert (code, reason.partition(":")[0]) == (1008, "token_expired")
    frames = await trail_of(kafka.bootstrap)
    assert {frame["principal_subject"] for frame in frames} == {"alice"}
    assert frames[-1]["reason_code"] == "token_expired"
    assert token not in str(cluster.asked[0].headers)


async def test_without_a_token_the_handshake_is_an_ordinary_401(
    kafka: KafkaAddress,
    cluster: Cluster,
    client: aiohttp.ClientSession,
    identity: IdentitySettings,
) -> None:
    async with served(kafka, kube(cluster), identity=identity) as gate:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(url(gate), protocols=(V5,))
    assert refused.value.status == 401
    assert not cluster.asked
