"""One HTTP/1.1 connection to an upstream, against a real socket that says what a test wants."""

from __future__ import annotations

import asyncio

import pytest

from gateway.edge.http1 import BUFFER_BYTES_MAX, HEAD_BYTES_MAX, Http1Connection, UpstreamBrokenError
from gateway.edge.upstream import HttpUpstream
from gateway.effects import Broken, Gone, Head
from tests.gateway.edge.wire import REQUEST, Peer, Wire

OK = b"HTTP/1.1 200 OK\r\n"
MAX = 1_000_000


@pytest.fixture
async def asked(wire: Wire) -> tuple[Http1Connection, Peer]:
    """A request under way, and the peer that has read it."""
    carrier = await HttpUpstream(wire.connection()).ask(REQUEST)
    peer = await wire.peer()
    await peer.request()
    return carrier, peer


Asked = tuple[Http1Connection, Peer]

WHOLE = {
    "a length": ([OK + b"Content-Length: 5\r\n\r\nhello"], True),
    "a length, byte by byte": ([bytes([b]) for b in OK + b"content-length: 5\r\n\r\nhello"], True),
    "chunks": ([OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=1\r\nllo\r\n0\r\n\r\n"], True),
    "chunks in pieces": (
        [OK + b"transfer-encoding: chunked\r\n\r\n2\r\nh", b"e\r\n3\r", b"\nllo\r\n0\r\n", b"\r\n"],
        True,
    ),
    "connection close": ([OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello"], False),
    "HTTP/1.0": ([b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello"], False),
    "100 before": ([b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 5\r\n\r\nhello"], True),
    "103 without a reason": (
        [b"HTTP/1.1 103\r\nlink: </x>\r\n\r\n", b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello"],
        True,
    ),
}


@pytest.mark.parametrize(("pieces", "reusable"), WHOLE.values(), ids=WHOLE)
async def test_a_whole_answer_is_read_to_its_end(asked: Asked, pieces: list[bytes], reusable: bool) -> None:
    carrier, peer = asked
    await peer.answer(*pieces)
    head = await carrier.head()
    assert head.status == 200
    assert b"link" not in dict(head.headers)
    assert await carrier.body(MAX) == b"hello"
    assert carrier.reusable is reusable


async def test_a_body_without_a_length_ends_with_the_connection(asked: Asked) -> None:
    carrier, peer = asked
    await peer.answer(OK + b"\r\nhel", b"lo")
    peer.close()
    assert (await carrier.head()).headers == []
    assert await carrier.body(MAX) == b"hello"
    assert not carrier.reusable


async def test_header_names_come_in_lower_case_and_in_order_with_repeats(asked: Asked) -> None:
    carrier, peer = asked
    await peer.answer(b"HTTP/1.1 204 No Content\r\nX-B: 1\r\nx-a:2\r\nX-B:  3 \r\n\r\n")
    assert await carrier.head() == Head(204, [(b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3")])
    assert await carrier.body(MAX) == b""
    assert carrier.reusable


async def test_fields_after_the_body_never_become_headers(asked: Asked) -> None:
    carrier, peer = asked
    await peer.answer(OK + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nset-cookie: x\r\n\r\n")
    head = await carrier.head()
    assert await carrier.body(MAX) == b"{}"
    assert [name for name, _ in head.headers] == [b"transfer-encoding"]


async def test_a_stream_is_given_as_it_comes(asked: Asked) -> None:
    carrier, peer = asked
    await peer.answer(OK + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    await carrier.head()
    assert carrier.ready() is None
    await peer.answer(b"2\r\nab\r\n")
    assert await carrier.chunk() == b"ab"
    reading = asyncio.create_task(carrier.chunk())
    await peer.answer(b"1\r\nc\r\n")
    assert await reading == b"c"
    await peer.answer(b"0\r\n\r\n")
    assert await carrier.chunk() == b""
    assert carrier.ready() == b""


async def whole(carrier: Http1Connection) -> bytes:
    await carrier.head()
    return await carrier.body(MAX)


BROKEN = {
    "nothing": [],
    "half a head": [b"HTTP/1.1 200 OK\r\nx-h"],
    "half a body": [OK + b"content-length: 5\r\n\r\nhel"],
    "half a chunk": [OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhel"],
    "no last chunk": [OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
    "another protocol": [b"SSH-2.0-OpenSSH_9.6\r\n"],
    "a broken chunk size": [OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n"],
    "two lengths": [OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    "a length and chunks": [OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    "a switch of protocols": [b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"],
    "a head without end": [OK, *[b"x-%d: %s\r\n" % (n, b"x" * 8000) for n in range(20)]],
}


@pytest.mark.parametrize("pieces", BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_told_as_broken(asked: Asked, pieces: list[bytes]) -> None:
    carrier, peer = asked
    await peer.answer(*pieces)
    peer.close()
    with pytest.raises(UpstreamBrokenError) as caught:
        await whole(carrier)
    assert isinstance(caught.value.fact, Broken)
    assert (caught.value.fact.outcome, caught.value.fact.reason_code) == ("upstream_failed", "upstream_broke")
    assert caught.value.fact.sent
    assert not carrier.reusable


async def test_g12_a_head_over_the_limit_is_refused_before_it_ends(asked: Asked) -> None:
    carrier, peer = asked
    await peer.answer(OK, *[b"x-%d: %s\r\n" % (n, b"x" * 8000) for n in range(HEAD_BYTES_MAX // 8000 + 2)])
    with pytest.raises(UpstreamBrokenError, match="headers are too long"):
        await carrier.head()
    assert await peer.left()


@pytest.mark.parametrize("promised", [True, False])
async def test_g12_a_body_over_the_limit_is_withheld(asked: Asked, promised: bool) -> None:
    carrier, peer = asked
    length = b"content-length: 2000\r\n\r\n" if promised else b"\r\n"
    await peer.answer(OK + length + b"x" * 2000)
    if not promised:
        peer.close()
    with pytest.raises(UpstreamBrokenError) as caught:
        await carrier.body(1000)
    assert caught.value.fact == Broken("withheld", "response_too_large", "over 1000 bytes")


SECOND = b"HTTP/1.1 500 No\r\nx-evil: 1\r\ncontent-length: 4\r\n\r\nevil"


@pytest.mark.parametrize("together", [True, False])
async def test_an_answer_that_nobody_asked_for_is_no_part_of_the_first_and_ends_the_connection(
    asked: Asked, together: bool
) -> None:
    carrier, peer = asked
    first = OK + b"content-length: 2\r\n\r\n{}"
    await peer.answer(*([first + SECOND] if together else [first, SECOND]))
    assert await carrier.head() == Head(200, [(b"content-length", b"2")])
    assert await carrier.body(MAX) == b"{}"
    assert await peer.left()
    assert not carrier.reusable


async def test_a_connection_is_used_again_after_its_answer_was_read(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection())
    peer = None
    for number in range(3):
        carrier = await upstream.ask(REQUEST)
        peer = peer or await wire.peer()
        asked = await peer.request()
        assert asked.startswith(b"POST /mcp?fixed=1 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % wire.port)
        await peer.answer(OK + b"content-length: 1\r\n\r\n%d" % number)
        assert (await carrier.head()).status == 200
        assert await carrier.body(MAX) == b"%d" % number
        upstream.done(carrier)
    assert wire.peers.empty()
    await upstream.close()
    assert peer is not None
    assert await peer.left()


async def test_a_reader_that_is_slow_slows_upstream_down(asked: Asked) -> None:
    carrier, peer = asked
    size = 64 * BUFFER_BYTES_MAX
    await peer.answer(OK + b"content-length: %d\r\n\r\n" % size)
    await carrier.head()
    sending = asyncio.create_task(peer.answer(*[b"x" * 65536] * (size // 65536)))
    with pytest.raises(TimeoutError):  # nobody reads: upstream has to stop
        await asyncio.wait_for(asyncio.shield(sending), 0.5)
    got = 0
    while data := await carrier.chunk():
        got += len(data)
        assert len(data) <= BUFFER_BYTES_MAX + 256 * 1024
    await sending
    assert got == size
    assert carrier.reusable


@pytest.mark.parametrize("fact", [Gone(), Broken("timed_out", "upstream_timeout", "")])
async def test_whoever_ends_a_wait_decides_how_it_ended_and_upstream_sees_the_leaving(
    asked: Asked, fact: Broken | Gone
) -> None:
    carrier, peer = asked
    waiting = asyncio.create_task(carrier.head())
    await asyncio.sleep(0)
    carrier.fail(fact)
    carrier.fail(Broken("upstream_failed", "upstream_broke", "too late to decide"))
    with pytest.raises(UpstreamBrokenError) as caught:
        await waiting
    assert caught.value.fact == fact
    with pytest.raises(UpstreamBrokenError):
        await carrier.chunk()
    assert await peer.left()
