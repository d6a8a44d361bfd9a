"""ABUSE 1 to 13: bytes that two readers could read as different requests."""

from __future__ import annotations

import pytest

from schemas.kafka import KafkaAddress
from tests.abuse.conftest import benched
from tests.abuse.raw import HOST, PING, Bench, connected, post
from tests.gateway.conftest import Upstream
from tests.support.tcp_proxy import TcpProxy

CHUNKED = b"Transfer-Encoding: chunked"
SMUGGLED = post(target=b"/mcp/demo?smuggled")


def chunked(body: bytes, *headers: bytes) -> bytes:
    """A POST whose body is already in chunks, well-formed or not."""
    return post(CHUNKED, *headers, body=body, length=False)


async def test_abuse_01_a_length_with_a_transfer_encoding_is_refused_and_what_follows_never_processed(
    bench: Bench,
) -> None:
    for first in (b"Content-Length: 6", b"content-length: 0"):
        data = post(first, CHUNKED, body=b"0\r\n\r\nG" + SMUGGLED, length=False)
        await bench.refused_soon(data, 400, "ambiguous_length")
    assert b"smuggled" not in bench.upstream.seen
    await bench.all_recorded()


async def test_abuse_02_more_than_one_length_is_refused_also_when_they_are_equal(bench: Bench) -> None:
    for lengths in ((b"5", b"5"), (b"5", b"6"), (b"5, 5",), (b"5,5",)):
        headers = [b"Content-Length: " + length for length in lengths]
        await bench.refused_soon(post(*headers, body=b"12345", length=False), 400, "ambiguous_length")
    await bench.all_recorded()


async def test_abuse_03_a_length_that_is_no_plain_number_is_refused(bench: Bench) -> None:
    for length in (b"+5", b"0x5", b"0_5", b"-1", b"18446744073709551616", b"", b"5 5", b"5.0", b"\xb2"):
        data = post(b"Content-Length: " + length, body=b"12345", length=False)
        await bench.refused_soon(data, 400, "ambiguous_length")
    await bench.all_recorded()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Transfer-Encoding: xchunked", "ambiguous_length"),
        (b"Transfer-Encoding: chunked, identity", "ambiguous_length"),
        (b"Transfer-Encoding: identity", "ambiguous_length"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "ambiguous_length"),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "ambiguous_length"),
        (b"Transfer-Encoding : chunked", "malformed_head"),
        (b"Transfer-Encoding\x0b: chunked", "malformed_head"),
        (b"\x00Transfer-Encoding: chunked", "malformed_head"),
        (b"Transfer-Encoding:\x0bchunked", "malformed_head"),
    ],
)
async def test_abuse_04_a_transfer_encoding_other_than_chunked_is_refused(
    bench: Bench, line: bytes, reason: str
) -> None:
    await bench.refused(post(line, body=b"0\r\n\r\n" + SMUGGLED, length=False), 400, reason)


async def test_abuse_04_a_transfer_encoding_in_http_1_0_is_refused(bench: Bench) -> None:
    data = chunked(b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
    await bench.refused(data, 400, "ambiguous_length")


async def test_abuse_05_a_header_with_an_underscore_is_refused(bench: Bench) -> None:
    for name in (b"Content_Length", b"content-length_", b"Transfer_Encoding", b"Mcp_Session_Id"):
        await bench.refused_soon(post(name + b": 5"), 400, "malformed_head")
    await bench.all_recorded()


async def test_abuse_06_chunks_that_are_not_well_formed_are_refused(bench: Bench) -> None:
    for body in (
        b"0x5\r\n12345\r\n0\r\n\r\n",
        b"+5\r\n12345\r\n0\r\n\r\n",
        b"-5\r\n12345\r\n0\r\n\r\n",
        b" 5\r\n12345\r\n0\r\n\r\n",
        b"g\r\n12345\r\n0\r\n\r\n",
        b"\r\n12345\r\n0\r\n\r\n",
        b"5\n12345\r\n0\r\n\r\n",
        b"5\r12345\r\n0\r\n\r\n",
        b"5\r\n1234567\r\n0\r\n\r\n",
        b"5\r\n12345\n0\r\n\r\n",
        b"5\r\n12345\rX0\r\n\r\n",
        b"5\r\n12345XX0\r\n\r\n",
        b"100000000\r\n12345",
        b"00000000000000005\r\n12345\r\n0\r\n\r\n",
        b"5;a=b\n12345\r\n0\r\n\r\n",
        b"5;a=\x00\r\n12345\r\n0\r\n\r\n",
        b"5;" + b"a" * 300 + b"\r\n12345\r\n0\r\n\r\n",
        b"5" + b" " * 300,
        b"1\r\n1\r\n" * 70_000,
    ):
        await bench.refused_soon(chunked(body), 400, "malformed_chunk")
    await bench.all_recorded()


async def test_abuse_06_well_formed_chunks_pass_however_they_are_cut_into_segments(bench: Bench) -> None:
    half = len(PING) // 2
    body = b'%X;sig="a b";x\r\n%b\r\n%x\r\n%b\r\n000\r\n\r\n' % (
        half,
        PING[:half],
        len(PING) - half,
        PING[half:],
    )
    data = chunked(body)
    async with connected(bench.gate) as client:
        for size in (1, 2, 3, 7, 50, len(data)):
            for start in range(0, len(data), size):
                await client.send(data[start : start + size])
            answer = await client.answer()
            assert answer.status == 200
    assert bench.upstream.seen.count(PING) == 6


async def test_abuse_07_trailers_are_refused_and_never_merged(bench: Bench) -> None:
    for trailer in (b"Authorization: Bearer x", b"Content-Length: 0", b"Mcp-Session-Id: a", b"X-Any: 1"):
        body = b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(PING), PING, trailer)
        await bench.refused_soon(chunked(body, b"Trailer: Authorization"), 400, "malformed_chunk")
    await bench.all_recorded()


async def test_abuse_08_line_ends_folds_and_control_characters_are_refused(bench: Bench) -> None:
    for line in (
        b"X-A: 1\nX-B: 2",
        b"X-A: 1\r\n folded",
        b"X-A: 1\r\n\tfolded",
        b"X-A: 1\rX-B: 2",
        b"X-A: a\x00b",
        b"X-A: a\x07b",
        b"X-A: a\x7fb",
        b"X-A\x7f: a",
        b"X A: a",
        b"X-A",
        b": a",
        b" Host: other",
    ):
        await bench.refused_soon(post(line), 400, "malformed_head")
    for data in (post().replace(b"\r\n", b"\n"), b"\n" + post(), b"\r\n\r\n" + post()):
        await bench.refused_soon(data, 400, "malformed_head")
    await bench.all_recorded()


async def test_abuse_09_there_must_be_one_host_and_the_target_must_not_name_another(bench: Bench) -> None:
    rest = b"Content-Length: 0\r\n\r\n"
    for data in (
        b"POST /mcp/demo HTTP/1.1\r\n" + rest,
        b"POST /mcp/demo HTTP/1.0\r\n" + rest,
        b"POST /mcp/demo HTTP/1.1\r\n" + HOST + HOST + rest,
        b"POST /mcp/demo HTTP/1.1\r\n" + HOST + b"host: other\r\n" + rest,
        b"POST http://other/mcp/demo HTTP/1.1\r\n" + HOST + rest,
        b"POST http://127.0.0.1@other/mcp/demo HTTP/1.1\r\n" + HOST + rest,
        b"POST /mcp/demo HTTP/1.1\r\nHost:\r\n" + rest,
        b"POST /mcp/demo HTTP/1.1\r\nHost: a@127.0.0.1\r\n" + rest,
        b"POST /mcp/demo HTTP/1.1\r\nHost: 127.0.0.1, other\r\n" + rest,
        b"POST /mcp/demo HTTP/1.1\r\nHost: 127.0.0.1/x\r\n" + rest,
    ):
        await bench.refused_soon(data, 400, "bad_host")
    await bench.all_recorded()


async def test_abuse_09_an_absolute_target_that_agrees_with_host_is_served(bench: Bench) -> None:
    async with connected(bench.gate) as client:
        await client.send(post(target=b"http://127.0.0.1/mcp/demo"))
        assert (await client.answer()).status == 200


async def test_abuse_10_connect_trace_and_unknown_methods_are_not_allowed(bench: Bench) -> None:
    for line in (
        b"CONNECT upstream:443",
        b"TRACE /mcp/demo",
        b"TRACK /mcp/demo",
        b"get /mcp/demo",
        b"X" * 40 + b" /",
    ):
        data = line + b" HTTP/1.1\r\n" + HOST + b"\r\n"
        await bench.refused_soon(data, 405, "method_not_allowed")
    await bench.all_recorded()


async def test_abuse_11_other_versions_of_http_are_refused(bench: Bench) -> None:
    for line in (
        b"GET /mcp/demo",
        b"GET /mcp/demo HTTP/0.9",
        b"GET /mcp/demo HTTP/1.2",
        b"GET /mcp/demo HTTP/2.0",
        b"PRI * HTTP/2.0",
        b"GET /mcp/demo http/1.1",
        b"GET /mcp/demo  HTTP/1.1",
        b"GET\t/mcp/demo HTTP/1.1",
        b"GET /mcp/demo HTTP/1.1 ",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ):
        await bench.refused_soon(line + b"\r\n" + HOST + b"\r\n", 400, "malformed_head")
    await bench.refused(b"GET /mcp/demo\r\n", 400, "malformed_head")
    await bench.all_recorded()


async def test_abuse_12_a_wish_for_another_protocol_is_never_granted(bench: Bench) -> None:
    for protocol in (b"h2c", b"websocket", b"TLS/1.0"):
        data = post(
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: " + protocol,
            b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        )
        async with connected(bench.gate) as client:
            await client.send(data + post())
            assert [(await client.answer()).status, (await client.answer()).status] == [200, 200]
            assert client.early == []
    seen = bench.upstream.seen.lower()
    assert b"upgrade" not in seen
    assert b"http2-settings" not in seen


async def test_abuse_15_headers_that_decide_may_stand_only_once(bench: Bench) -> None:
    for name in (b"Authorization", b"Mcp-Session-Id", b"Mcp-Protocol-Version", b"Content-Type", b"Origin"):
        await bench.refused_soon(post(name + b": a", name.upper() + b": a"), 400, "duplicate_header")
    await bench.all_recorded()


async def test_g12_a_bad_second_request_is_never_processed_and_the_first_is_answered_first(
    bench: Bench,
) -> None:
    bench.upstream.may_answer.clear()
    async with connected(bench.gate) as client:
        await client.send(post() + b"POST /mcp/demo?smuggled HTTP/1.1\nHost: x\r\n\r\n" + SMUGGLED)
        await bench.upstream.asked.wait()
        bench.upstream.may_answer.set()
        first, second = await client.answer(), await client.answer()
        assert (first.status, second.status) == (200, 400)
        assert second.reason_code == "malformed_head"
        assert await client.ended() == b""
    assert bench.upstream.requests == 1
    frame = await bench.recorded(second.exchange_id)
    assert (frame["http_method"], frame["http_path"]) == ("POST", "/mcp/demo")


async def test_pipelined_requests_are_answered_in_order(bench: Bench) -> None:
    paths = [b"/mcp/demo?n=%d" % number for number in range(20)]
    async with connected(bench.gate) as client:
        await client.send(b"".join([post(target=path) for path in paths]))
        for _ in paths:
            assert (await client.answer()).status == 200
    seen = [bench.upstream.seen.index(path[9:] + b" ") for path in paths]
    assert seen == sorted(seen)


async def test_a_head_may_come_byte_by_byte_and_after_one_empty_line(bench: Bench) -> None:
    async with connected(bench.gate) as client:
        for byte in b"\r\n" + post() + b"\r\n" + post():
            await client.send(bytes([byte]))
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]


async def test_g3_a_refusal_that_cannot_be_recorded_is_told_as_such(
    kafka: KafkaAddress, upstream: Upstream, network: TcpProxy
) -> None:
    async with benched(kafka, upstream, deadline_seconds=1.0) as bench, connected(bench.gate) as client:
        network.stall()
        await client.send(post(b"Content_Length: 5"))
        answer = await client.answer()
        assert (answer.status, answer.reason_code) == (503, "audit_unavailable")
        network.release()
