"""ABUSE 32 and 54: a schema's references are never followed, and a page of another origin gets nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.abuse.raw import Bench, connected, post


@pytest.mark.parametrize(
    "origin",
    [b"http://evil.example", b"https://127.0.0.1.evil.example", b"null", b"http://localhost@evil.example"],
)
async def test_abuse_54_a_page_of_another_origin_is_refused(bench: Bench, origin: bytes) -> None:
    async with connected(bench.gate) as socket:
        await socket.send(post(b"Origin: " + origin, b"Content-Type: application/json"))
        answer = await socket.answer()
    frame = await bench.recorded(answer.exchange_id)
    assert (answer.status, answer.reason_code) == (403, "host_not_allowed")
    assert (frame["outcome"], frame["reason_code"]) == ("refused", "host_not_allowed")
    assert bench.upstream.requests == 0


async def test_abuse_32_a_reference_in_a_tools_schema_is_never_fetched(bench: Bench) -> None:
    asked = asyncio.Event()

    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/schema.json"
    tool = {
        "name": "t",
        "inputSchema": {"$ref": url, "$schema": url, "properties": {"a": {"$ref": url + "#/a"}}},
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": [tool]}}).encode()
    bench.upstream.answer = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    ) + body
    async with connected(bench.gate) as socket:
        listing = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
        await socket.send(post(b"Content-Type: application/json", body=listing))
        answer = await socket.answer()
    pins = bench.gate.gateway.control.pins
    async with asyncio.timeout(30):
        while ("demo", "t") not in pins:
            await asyncio.sleep(0.01)
    server.close()
    assert answer.body == body
    assert not asked.is_set()
