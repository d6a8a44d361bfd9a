"""The pool of connections to one upstream: bounded, reused, never stale."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.edge.http1 import Http1Connection, UpstreamBrokenError
from gateway.edge.upstream import HttpUpstream, address
from gateway.effects import Broken, Forward
from gateway.settings import Connection, Timeouts
from tests.gateway.edge.wire import REQUEST, Peer, Wire

EMPTY = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"


async def through(upstream: HttpUpstream, wire: Wire) -> tuple[Http1Connection, Peer]:
    """One whole exchange over a new connection; not yet given back."""
    carrier = await upstream.ask(REQUEST)
    peer = await wire.peer()
    await peer.request()
    await peer.answer(EMPTY)
    await carrier.body(0)
    return carrier, peer


async def test_no_more_connections_than_allowed_and_the_next_caller_gets_the_freed_one(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection(connections_max=2))
    (one, peer), _ = [await through(upstream, wire) for _ in range(2)]
    third = asyncio.create_task(upstream.ask(REQUEST))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(third), 0.1)
    upstream.done(one)
    assert await third is one
    assert await peer.request()
    assert wire.peers.empty()


async def test_g12_a_caller_that_waits_too_long_for_a_connection_is_told(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection(connections_max=1, timeouts=Timeouts(connect_seconds=0.1)))
    await through(upstream, wire)
    with pytest.raises(UpstreamBrokenError) as caught:
        await upstream.ask(REQUEST)
    assert caught.value.fact == Broken(
        "timed_out", "upstream_unreachable", "all its connections are in use", sent=False
    )


async def test_a_caller_that_gives_up_or_fails_leaves_its_place_to_others(
    wire: Wire, silent_port: int
) -> None:
    nowhere = replace(wire.connection(connections_max=1), upstream=f"http://127.0.0.1:{silent_port}/")
    upstream = HttpUpstream(nowhere)
    for _ in range(3):
        with pytest.raises(UpstreamBrokenError) as caught:
            await upstream.ask(REQUEST)
        assert isinstance(caught.value.fact, Broken)
        assert (caught.value.fact.reason_code, caught.value.fact.sent) == ("upstream_unreachable", False)
    full = HttpUpstream(wire.connection(connections_max=1))
    carrier, _ = await through(full, wire)
    waiting = asyncio.create_task(full.ask(REQUEST))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    full.done(carrier)
    assert await asyncio.wait_for(full.ask(REQUEST), 1) is carrier


async def test_a_connection_that_upstream_closed_while_idle_is_not_used_again(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection())
    carrier, peer = await through(upstream, wire)
    upstream.done(carrier)
    peer.close()
    async with asyncio.timeout(30):
        while not carrier.lost:
            await asyncio.sleep(0)
    again, _ = await through(upstream, wire)
    assert again is not carrier


async def test_a_connection_that_was_idle_too_long_is_closed_and_not_used_again(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection())
    carrier, peer = await through(upstream, wire)
    upstream.done(carrier)
    carrier.idle_since -= 60
    again, _ = await through(upstream, wire)
    assert again is not carrier
    assert await peer.left()


async def test_a_connection_whose_answer_was_not_read_to_its_end_is_closed(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection())
    carrier = await upstream.ask(REQUEST)
    peer = await wire.peer()
    await peer.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
    await carrier.head()
    upstream.done(carrier)
    assert carrier.lost
    while await peer.reader.read(100):
        pass


async def test_a_request_is_sent_as_it_came_with_the_headers_of_this_hop(wire: Wire) -> None:
    upstream = HttpUpstream(wire.connection())
    asked = Forward("s", "POST", "a=1&b=%20", [(b"x-a", b"\xe4"), (b"x-a", b"2")], b'{ "a":1 }')
    await upstream.ask(asked)
    assert await (await wire.peer()).request() == (
        b"POST /mcp?fixed=1&a=1&b=%%20 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-length: 9\r\n"
        b'x-a: \xe4\r\nx-a: 2\r\naccept-encoding: identity\r\n\r\n{ "a":1 }' % wire.port
    )


@pytest.mark.parametrize(("method", "length"), [("GET", False), ("DELETE", False), ("POST", True)])
async def test_an_empty_body_has_a_length_only_where_a_body_is_expected(
    wire: Wire, method: str, length: bool
) -> None:
    await HttpUpstream(wire.connection()).ask(Forward("s", method, "", [], b""))
    head = await (await wire.peer()).reader.readuntil(b"\r\n\r\n")
    assert (b"content-length: 0\r\n" in head) is length


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "target"),
    [
        ("http://127.0.0.1:9000/mcp", "127.0.0.1", 9000, False, "/mcp"),
        ("https://mcp.example", "mcp.example", 443, True, "/"),
        ("http://[::1]:8/x?y=1", "::1", 8, False, "/x?y=1"),
    ],
)
def test_the_parts_of_an_upstream_url(url: str, host: str, port: int, tls: bool, target: str) -> None:
    where = address(url)
    assert (where.host, where.port, where.tls, where.target) == (host, port, tls, target)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://", "127.0.0.1:80", "http://user:pw@x/", "http://x/#f", "unix:///x"]
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        address(url)


def test_a_connection_without_a_url_is_no_http_upstream() -> None:
    with pytest.raises(ValueError, match="no upstream URL"):
        HttpUpstream(Connection("demo"))
