"""ABUSE 13, 16 and 27 to 34: where a request goes, what goes with it, and what comes back with the answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Connection, UpstreamTls
from schemas.kafka import KafkaAddress
from tests.abuse.raw import PING, Answer, Bench, connected, post
from tests.gateway.conftest import Served, Upstream, served
from tests.gateway.frames.test_target import AMBIGUOUS
from tests.support.certificates import Authority, server_context
from tests.support.trail import frames_of, read_frames

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


async def asked(gate: Served, data: bytes) -> Answer:
    """The answer to one request on a connection of its own."""
    async with connected(gate) as client:
        await client.send(data)
        return await client.answer()


async def test_abuse_13_connection_strips_headers_of_its_hop_but_none_that_decide(bench: Bench) -> None:
    data = post(
        b"Connection: keep-alive, X-Hop, Mcp-Session-Id, Content-Type, Authorization",
        b"Connection: Origin",
        b"Keep-Alive: timeout=5",
        b"TE: trailers",
        b"Proxy-Connection: keep-alive",
        b"X-Hop: 1",
        b"X-Kept: 1",
        b"Mcp-Session-Id: session",
        b"Content-Type: application/json",
        b"Origin: http://127.0.0.1",
    )
    bench.upstream.answer = (
        OK + b"connection: keep-alive, x-hop\r\nkeep-alive: timeout=5\r\nx-hop: 1\r\nx-kept: 1\r\n"
        b"proxy-authenticate: Basic\r\ntrailer: x\r\ncontent-length: 2\r\n\r\n{}"
    )
    answer = await asked(bench.gate, data)
    assert answer.status == 200
    seen = bench.upstream.seen.lower()
    for name in (b"x-kept: 1", b"mcp-session-id: session", b"content-type: application/json", b"origin:"):
        assert name in seen
    for name in (b"connection:", b"keep-alive", b"te:", b"proxy-connection", b"x-hop"):
        assert b"\r\n" + name not in seen
    assert answer.headers[b"x-kept"] == b"1"
    assert not {b"x-hop", b"keep-alive", b"proxy-authenticate", b"trailer"} & set(answer.headers)


async def test_abuse_16_what_a_client_claims_of_its_origin_is_dropped_and_the_peer_recorded(
    bench: Bench,
) -> None:
    claims = [b"X-Forwarded-For: 10.9.8.7", b"Forwarded: for=10.9.8.7", b"X-Real-IP: 10.9.8.7"]
    identities = [b"X-Forwarded-User: admin", b"X-Remote-User: admin", b"Impersonate-User: admin"]
    assert (await asked(bench.gate, post(*claims, *identities))).status == 200
    assert b"10.9.8.7" not in bench.upstream.seen
    assert b"admin" not in bench.upstream.seen
    frames = [row.frame for row in await read_frames(bench.bootstrap)]
    claimed = [frame for frame in frames if "10.9.8.7" in frame["http_headers"]]
    assert claimed
    assert all(frame["peer"].startswith("127.0.0.1:") for frame in claimed)


async def test_abuse_27_targets_that_can_be_read_in_two_ways_are_refused(bench: Bench) -> None:
    for target in AMBIGUOUS:
        if target and target.isascii():
            await bench.refused_soon(post(target=target), 400, "bad_target")
    for target in (b"/mcp/\xc3\xa9",):
        await bench.refused_soon(post(target=target), 400, "malformed_head")
    await bench.all_recorded()


async def test_abuse_27_paths_that_lead_nowhere_are_not_found_and_never_another_connection(
    bench: Bench,
) -> None:
    for target in (b"/mcp/demo/x", b"/mcp/dem%C3%B6", b"/mcp/Demo", b"/mcp/demo%20", b"/mcp/"):
        answer = await asked(bench.gate, post(target=target))
        assert (answer.status, answer.reason_code) == (404, "unknown_connection"), target
    assert bench.upstream.requests == 0


async def test_abuse_27_one_path_however_it_is_spelled_reaches_one_connection(bench: Bench) -> None:
    for target in (b"/mcp/demo", b"/mcp/d%65mo", b"http://127.0.0.1/mcp/demo"):
        assert (await asked(bench.gate, post(target=target))).status == 200
    assert bench.upstream.seen.count(b"POST /mcp HTTP/1.1\r\n") == 3
    frames = [row.frame for row in await read_frames(bench.bootstrap)]
    mine = [f for f in frames if f["verdict"] == "allow" and f["connection"] == "demo"]
    paths = {frame["http_path"] for frame in mine}
    assert {path.partition("?")[0] for path in paths} == {"/mcp/demo"}


async def test_expectations_other_than_100_continue_are_refused(bench: Bench) -> None:
    for value in (b"200-ok", b"100-continue, x", b""):
        await bench.refused_soon(post(b"Expect: " + value), 417, "expectation_failed")
    await bench.all_recorded()


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on(bench: Bench) -> None:
    head, body = post(b"Expect: 100-continue")[: -len(PING)], PING
    async with connected(bench.gate) as client:
        await client.send(head)
        async with asyncio.timeout(30):
            assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        await client.send(body)
        assert (await client.answer()).status == 200


async def test_abuse_28_a_redirect_is_passed_on_without_its_lead_and_never_followed(bench: Bench) -> None:
    elsewhere = Upstream()
    async with await asyncio.start_server(elsewhere.serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        for status in (301, 302, 303, 307, 308):
            bench.upstream.answer = b"HTTP/1.1 %d Elsewhere\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % (
                status,
                url.encode(),
            )
            answer = await asked(bench.gate, post())
            assert answer.status == status
            assert b"location" not in answer.headers
    assert not elsewhere.seen
    frames = [row.frame for row in await read_frames(bench.bootstrap)]
    led = {frame["http_status"] for frame in frames if url in frame["http_headers"]}
    assert led == {301, 302, 303, 307, 308}


class Names:
    """The resolver of this process, but for one name that is at another address each time it is asked for."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)
        self._real = asyncio.get_running_loop().getaddrinfo
        self.asked = 0

    async def getaddrinfo(self, host: Any, port: Any, **how: Any) -> list[Any]:
        if host != "rebinding.test":
            return await self._real(host, port, **how)
        self.asked += 1
        return await self._real(self._addresses.pop(0), port, **how)


async def test_abuse_29_the_address_that_was_judged_is_the_one_connected_to(
    kafka: KafkaAddress, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names("127.0.0.1", "169.254.169.254")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo)
    connection = Connection("demo", upstream=f"http://rebinding.test:{upstream.port}/mcp")
    async with served(kafka, connection) as gate:
        assert (await asked(gate, post())).status == 200
    assert names.asked == 1
    assert b"host: rebinding.test" in upstream.seen


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0"])
async def test_abuse_29_a_name_that_leads_to_a_clouds_metadata_is_not_connected_to(
    kafka: KafkaAddress, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", Names(address).getaddrinfo)
    connection = Connection("demo", upstream="http://rebinding.test:80/latest/meta-data")
    async with served(kafka, connection) as gate:
        answer = await asked(gate, post())
        assert (answer.status, answer.reason_code) == (502, "upstream_unreachable")
        assert b"rebinding.test is at an address that is link-local" in answer.body
        frames = await frames_of(kafka.bootstrap, answer.exchange_id, until=2)
        assert frames[-1]["reason_code"] == "upstream_unreachable"


@asynccontextmanager
async def over_tls(context: ssl.SSLContext) -> AsyncIterator[Upstream]:
    """An upstream that speaks TLS, and with a mistake in its certificate."""
    fake = Upstream()
    fake.may_answer.set()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0, ssl=context)
    fake.port = server.sockets[0].getsockname()[1]
    yield fake
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("mistake", ["none", "name", "expired", "authority"])
async def test_abuse_33_an_upstream_whose_certificate_is_wrong_gets_nothing(
    kafka: KafkaAddress, tmp_path: Path, mistake: str
) -> None:
    authority = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    issuer = Authority(tmp_path / "other", "other") if mistake == "authority" else authority
    pair = issuer.issue(
        "elsewhere.test" if mistake == "name" else "localhost",
        ends_in=dt.timedelta(days=-1 if mistake == "expired" else 1),
    )
    async with over_tls(server_context(pair)) as fake:
        connection = Connection(
            "demo", upstream=f"https://localhost:{fake.port}/mcp", tls=UpstreamTls(ca_file=authority.ca)
        )
        async with served(kafka, connection) as gate:
            answer = await asked(gate, post())
            assert answer.status == (200 if mistake == "none" else 502)
            if mistake != "none":
                assert answer.reason_code == "upstream_unreachable"
                assert not fake.seen
                frames = await frames_of(kafka.bootstrap, answer.exchange_id, until=2)
                assert frames[-1]["outcome"] == "upstream_failed"
                assert frames[-1]["reason_code"] == "upstream_unreachable"


async def test_abuse_33_an_upstream_that_answers_without_tls_gets_nothing(kafka: KafkaAddress) -> None:
    seen = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: 2\r\n\r\n{}")
        seen.extend(await reader.read(10_000))
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with served(kafka, Connection("demo", upstream=f"https://127.0.0.1:{port}/mcp")) as gate:
        answer = await asked(gate, post())
        assert (answer.status, answer.reason_code) == (502, "upstream_unreachable")
    assert b"HTTP" not in seen
    server.close()


async def test_abuse_34_what_binds_a_client_or_a_proxy_in_front_does_not_reach_it(bench: Bench) -> None:
    bench.upstream.answer = (
        b"HTTP/1.1 100 Continue\r\nx-interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
        + OK
        + b"set-cookie: session=1\r\nx-accel-redirect: /internal\r\nalt-svc: h2\r\nx-kept: 1\r\n"
        b"content-length: 2\r\n\r\n{}"
    )
    async with connected(bench.gate) as client:
        await client.send(post())
        answer = await client.answer()
    assert (answer.status, answer.body, client.early) == (200, b"{}", [])
    assert answer.headers[b"x-kept"] == b"1"
    assert not {b"set-cookie", b"x-accel-redirect", b"alt-svc", b"x-interim", b"link"} & set(answer.headers)


INJECTED = {
    "a bare LF": OK + b"x-a: 1\nx-evil: 1\r\ncontent-length: 2\r\n\r\n{}",
    "lines with LF alone": (OK + b"content-length: 2\r\n\r\n").replace(b"\r\n", b"\n") + b"{}",
    "a folded line": OK + b"x-a: 1\r\n x-evil: 1\r\ncontent-length: 2\r\n\r\n{}",
    "a bare CR": OK + b"x-a: 1\rx-evil: 1\r\ncontent-length: 2\r\n\r\n{}",
    "a NUL": OK + b"x-a: 1\x00\r\ncontent-length: 2\r\n\r\n{}",
    "a space before the colon": OK + b"content-length : 2\r\n\r\n{}",
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    "two lengths in one": OK + b"content-length: 2, 2\r\n\r\n{}",
    "a length and chunks": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded line in an interim answer": b"HTTP/1.1 100 Continue\r\nx: 1\r\n y\r\n\r\n"
    + OK
    + b"content-length: 2\r\n\r\n{}",
    "a fold, and a second answer behind it": OK
    + b"x-a: 1\r\n b\r\ncontent-length: 2\r\n\r\n{}"
    + OK
    + b"content-length: 2\r\n\r\n{}",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\ncontent-length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("sent", INJECTED.values(), ids=INJECTED)
async def test_abuse_34_a_head_of_upstream_that_can_be_read_in_two_ways_is_not_passed_on(
    bench: Bench, sent: bytes
) -> None:
    bench.upstream.answer = sent
    answer = await asked(bench.gate, post())
    assert (answer.status, answer.reason_code) == (502, "upstream_broke")
    assert b"evil" not in answer.body
    assert b"x-evil" not in answer.headers
    frames = await frames_of(bench.bootstrap, answer.exchange_id, until=2)
    assert frames[-1]["outcome"] == "upstream_failed"
    bench.upstream.answer = OK + b"content-length: 2\r\n\r\n{}"
    await bench.alive()


async def test_abuse_34_chunks_of_upstream_that_are_not_well_formed_end_the_answer(bench: Bench) -> None:
    for body in (b"0x2\r\n{}\r\n0\r\n\r\n", b"2\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n", b"2\r\n{}x0\r\n\r\n"):
        bench.upstream.answer = OK + b"transfer-encoding: chunked\r\n\r\n" + body
        answer = await asked(bench.gate, post())
        assert (answer.status, answer.reason_code) == (502, "upstream_broke"), body
