"""Which handshakes are taken, what the client is told of the others, and what stands in the trail of them."""

from __future__ import annotations

import asyncio
import base64
import json

import aiohttp
import pytest

from gateway.settings import Limits
from schemas.kafka import KafkaAddress
from tests.abuse.raw import Answer, Socket, connected
from tests.gateway.conftest import Served, served
from tests.gateway.sockets.conftest import EXEC, QUERY, STDIN, STDOUT, V5, Cluster, kube, trail_of, url

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = b"Upgrade: websocket"
CONNECTION = b"Connection: Upgrade"
VERSION = b"Sec-WebSocket-Version: 13"
TARGET = f"/k8s/kube{EXEC}{QUERY}".encode()


def handshake(
    *headers: bytes, line: bytes = b"GET %b HTTP/1.1" % TARGET, protocol: str = V5, rest: bytes = b""
) -> bytes:
    """A handshake of these headers; without any, a good one."""
    lines = headers or (UPGRADE, CONNECTION, KEY, VERSION)
    offered = f"Sec-WebSocket-Protocol: {protocol}".encode()
    return b"\r\n".join([line, b"Host: 127.0.0.1", offered, *lines]) + b"\r\n\r\n" + rest


async def switched(socket: Socket) -> dict[bytes, bytes]:
    """The headers of the answer that changes the protocol."""
    async with asyncio.timeout(30):
        head = await socket.reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    assert first == b"HTTP/1.1 101 Switching Protocols"
    return {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}


async def test_the_answer_is_the_one_that_rfc_6455_gives_as_an_example(
    gate: Served, cluster: Cluster
) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake())
        headers = await switched(socket)
        assert headers[b"sec-websocket-accept"] == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert headers[b"sec-websocket-protocol"] == V5.encode()
        assert b"sec-websocket-extensions" not in headers
        assert await socket.reader.readexactly(3) == b"\x82\x01" + STDOUT  # one unmasked binary frame


@pytest.mark.parametrize(
    "headers",
    [
        (UPGRADE, b"Connection: Upgrade, close", KEY, VERSION),
        (UPGRADE, b"Connection: keep-alive", KEY, VERSION),
        (UPGRADE, CONNECTION, CONNECTION, KEY, VERSION),
        (UPGRADE, b"Connection: upgrade, authorization", KEY, VERSION),
        (UPGRADE, KEY, VERSION),
        (UPGRADE, UPGRADE, CONNECTION, KEY, VERSION),
        (UPGRADE, b"Upgrade: h2c", CONNECTION, KEY, VERSION),
        (b"Upgrade: websocket, h2c", CONNECTION, KEY, VERSION),
        (b"Upgrade: xwebsocket", CONNECTION, KEY, VERSION),
        (UPGRADE, CONNECTION, VERSION),
        (UPGRADE, CONNECTION, KEY, KEY, VERSION),
        (UPGRADE, CONNECTION, b"Sec-WebSocket-Key: short", VERSION),
        (UPGRADE, CONNECTION, KEY, b"Sec-WebSocket-Version: 8"),
        (UPGRADE, CONNECTION, KEY, VERSION, b"Sec-WebSocket-Version: 8"),
        (UPGRADE, CONNECTION, KEY),
        (UPGRADE, CONNECTION, KEY, VERSION, b"Content-Length: 0"),
        (UPGRADE, CONNECTION, KEY, VERSION, b"Content-Length: 4"),
        (UPGRADE, CONNECTION, KEY, VERSION, b"Transfer-Encoding: chunked"),
        (UPGRADE, CONNECTION, KEY, VERSION, b"Expect: 100-continue"),
    ],
)
async def test_a_handshake_in_any_other_way_than_the_one_is_refused(
    gate: Served, cluster: Cluster, kafka: KafkaAddress, headers: tuple[bytes, ...]
) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake(*headers))
        answer = await socket.answer()
        assert (answer.status, answer.reason_code) == (400, "malformed_handshake")
        assert await socket.ended() == b""
    assert not cluster.asked
    (frame,) = await trail_of(kafka.bootstrap)
    assert (frame["outcome"], frame["reason_code"]) == ("refused", "malformed_handshake")


@pytest.mark.parametrize("line", [b"POST %b HTTP/1.1" % TARGET, b"GET %b HTTP/1.0" % TARGET])
async def test_a_handshake_is_a_get_in_http_1_1(gate: Served, cluster: Cluster, line: bytes) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake(line=line))
        assert (await socket.answer()).reason_code == "malformed_handshake"
    assert not cluster.asked


@pytest.mark.parametrize("rest", [b"GET /k8s/kube/api HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"\x81\x80aaaa"])
async def test_nothing_may_come_behind_a_handshake_before_it_is_answered(
    gate: Served, cluster: Cluster, kafka: KafkaAddress, rest: bytes
) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake(rest=rest))
        answer = await socket.answer()
        assert (answer.status, answer.reason_code) == (400, "malformed_handshake")
        assert await socket.ended() == b""
    assert all(request.path == EXEC for request in cluster.asked)


async def test_on_other_paths_the_wish_is_ignored_as_before(gate: Served, cluster: Cluster) -> None:
    for target in (b"/mcp/kube", b"/http/kube/x", b"/k8sx/kube/x", b"/approvals"):
        async with connected(gate) as socket:
            await socket.send(handshake(line=b"GET %b HTTP/1.1" % target))
            assert (await socket.answer()).status in (401, 404, 405)
    assert not cluster.asked


async def test_another_protocol_than_websocket_is_ignored(gate: Served, cluster: Cluster) -> None:
    cluster.refusal = (200, b"{}")
    async with connected(gate) as socket:
        await socket.send(handshake(b"Upgrade: h2c", CONNECTION))
        assert (await socket.answer()).status == 200
    (asked,) = cluster.asked
    assert "Upgrade" not in asked.headers
    assert "Sec-WebSocket-Protocol" not in asked.headers


async def test_a_host_of_its_own_takes_websockets_at_every_path(
    kafka: KafkaAddress, cluster: Cluster
) -> None:
    async with (
        served(kafka, kube(cluster, host="prod.example")) as gate,
        aiohttp.ClientSession(headers={"Host": "prod.example"}) as client,
    ):
        target = f"http://127.0.0.1:{gate.port}{EXEC}{QUERY}"
        async with client.ws_connect(target, protocols=(V5,)) as socket:
            assert await socket.receive_bytes() == STDOUT
    assert cluster.asked[0].path_qs == EXEC + QUERY


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}'),
        (404, b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}'),
        (400, b'{"kind":"Status","message":"you must specify at least 1 of stdin, stdout, stderr"}'),
    ],
)
async def test_what_upstream_says_to_a_handshake_that_it_refuses_passes(
    gate: Served, cluster: Cluster, kafka: KafkaAddress, status: int, body: bytes
) -> None:
    cluster.refusal = (status, body)
    async with connected(gate) as socket:
        await socket.send(handshake())
        answer = await socket.answer()
        assert (answer.status, answer.body) == (status, body)
        await socket.send(b"GET /k8s/kube/version HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await socket.answer()).status == status  # the connection is as good as before
    asked = await trail_of(kafka.bootstrap)
    assert (asked[-1]["outcome"], asked[-1]["http_status"]) == ("completed", status)


async def test_upstream_chooses_the_subprotocol_of_those_that_the_client_offers(
    gate: Served, client: aiohttp.ClientSession, cluster: Cluster
) -> None:
    cluster.protocols = ("v4.channel.k8s.io",)
    async with client.ws_connect(url(gate), protocols=(V5, "v4.channel.k8s.io")) as socket:
        assert socket.protocol == "v4.channel.k8s.io"
    assert cluster.asked[0].headers["Sec-WebSocket-Protocol"] == f"{V5}, v4.channel.k8s.io"


async def test_port_forwards_subprotocol_passes_though_it_is_no_token(gate: Served, cluster: Cluster) -> None:
    protocol = "SPDY/3.1+portforward.k8s.io"
    async with connected(gate) as socket:
        line = b"GET /k8s/kube/api/v1/namespaces/prod/pods/web-1/portforward HTTP/1.1"
        await socket.send(handshake(line=line, protocol=protocol))
        assert (await switched(socket))[b"sec-websocket-protocol"] == protocol.encode()


def encoded(token: bytes) -> str:
    """A token as browsers send it."""
    return "base64url.bearer.authorization.k8s.io." + base64.urlsafe_b64encode(token).decode().rstrip("=")


async def test_a_token_among_the_subprotocols_goes_no_further_and_is_not_recorded(
    gate: Served, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake(protocol=f"{encoded(b'secret-token')}, {V5}"))
        assert (await switched(socket))[b"sec-websocket-protocol"] == V5.encode()
    (asked,) = cluster.asked
    assert asked.headers["Sec-WebSocket-Protocol"] == V5
    assert "Authorization" not in asked.headers
    frames = await trail_of(kafka.bootstrap)
    assert "sec-websocket-protocol: v5.channel.k8s.io" in frames[0]["http_headers"]
    assert "authorization: [masked:credential]" in frames[0]["http_headers"]
    assert encoded(b"secret-token") not in str(frames)


@pytest.mark.parametrize(
    "protocol",
    [
        encoded(b"secret-token"),
        f"{encoded(b'secret-token')}, {encoded(b'other')}, {V5}",
        f"base64url.bearer.authorization.k8s.io.!!, {V5}",
        f"{V5}, {V5}",
        f"{V5}, a b",
        ", ".join(f"p{number}" for number in range(17)),
    ],
)
async def test_subprotocols_that_can_be_read_in_two_ways_are_refused(
    gate: Served, cluster: Cluster, kafka: KafkaAddress, protocol: str
) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake(protocol=protocol))
        assert (await socket.answer()).status == 400
    assert not cluster.asked
    (frame,) = await trail_of(kafka.bootstrap)
    assert (frame["outcome"], frame["reason_code"]) == ("refused", "unreadable_request")
    assert encoded(b"secret-token") not in str(frame)


async def test_a_token_twice_is_refused(gate: Served, cluster: Cluster) -> None:
    async with connected(gate) as socket:
        headers = (UPGRADE, CONNECTION, KEY, VERSION, b"Authorization: Bearer abc")
        await socket.send(handshake(*headers, protocol=f"{encoded(b'secret-token')}, {V5}"))
        assert (await socket.answer()).status == 400
    assert not cluster.asked


async def test_an_unknown_connection_is_an_ordinary_404(gate: Served) -> None:
    async with connected(gate) as socket:
        await socket.send(handshake(line=b"GET /k8s/nowhere/api HTTP/1.1"))
        assert (await socket.answer()).status == 404


def spdy() -> bytes:
    """How kubectl asks for streams over SPDY."""
    lines = (b"POST %b HTTP/1.1" % TARGET, b"Host: 127.0.0.1", CONNECTION, b"Upgrade: SPDY/3.1")
    return b"\r\n".join(
        (*lines, b"X-Stream-Protocol-Version: v4.channel.k8s.io", b"Content-Length: 0\r\n\r\n")
    )


async def test_spdy_is_refused_with_the_remedy_and_its_record(
    gate: Served, cluster: Cluster, kafka: KafkaAddress
) -> None:
    async with connected(gate) as socket:
        await socket.send(spdy())
        answer = await socket.answer()
    assert answer.status == 400
    assert b"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true" in answer.body
    assert not cluster.asked
    (frame,) = await trail_of(kafka.bootstrap)
    assert (frame["outcome"], frame["reason_code"]) == ("refused", "spdy_not_taken")
    assert frame["http_method"] == "POST"


async def test_spdy_behind_a_websocket_that_was_refused_is_told_what_that_was(
    gate: Served, cluster: Cluster, kafka: KafkaAddress
) -> None:
    status = {"kind": "Status", "code": 403, "message": "pods web-1 is forbidden"}
    cluster.refusal = (403, json.dumps(status).encode())
    answers: list[Answer] = []
    for request in (handshake(), spdy(), spdy()):
        async with connected(gate) as socket:
            await socket.send(request)
            answers.append(await socket.answer())
    assert answers[0].body == answers[1].body
    assert answers[0].status == answers[1].status == 403
    assert answers[2].status == 400  # it is told once
    assert len(cluster.asked) == 1
    (frame,) = await trail_of(kafka.bootstrap)
    assert (frame["outcome"], frame["reason_code"]) == ("refused", "spdy_not_taken")


async def test_a_message_over_the_limit_ends_the_socket(kafka: KafkaAddress, cluster: Cluster) -> None:
    limits = Limits(event_bytes_max=1000)
    async with (
        served(kafka, kube(cluster), limits=limits) as gate,
        aiohttp.ClientSession() as client,
        client.ws_connect(url(gate), protocols=(V5,)) as socket,
    ):
        assert await socket.receive_bytes() == STDOUT
        await socket.send_bytes(STDIN + b"x" * 1000)
        assert (await socket.receive()).data == 1009
    end = (await trail_of(kafka.bootstrap))[-1]
    assert (end["outcome"], end["reason_code"]) == ("client_gone", "socket_broke")
    assert "over 1000 bytes" in end["reason"]
