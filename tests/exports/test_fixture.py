"""A recorded session as a server: what the official client gets from it is what it got then."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from sinks.exports.fixture import Fixture
from sinks.readers import Frame
from sluicegate.cli.replay import mock

LISTED = {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}


def exchange(number: int, asked: dict[str, Any], *answers: Any, events: bool = False) -> Iterator[Frame]:
    """Frames of one exchange; answers are results, or whole messages where they have `jsonrpc`."""
    request = {"jsonrpc": "2.0", "id": number, **asked}
    shared = {"exchange_id": f"e{number}", "protocol": "mcp", "http_status": 200}
    shared["content_type"] = "text/event-stream" if events else "application/json"
    yield cast("Frame", {**shared, "direction": "request", "body": json.dumps(request)})
    for answer in answers:
        whole = answer if "jsonrpc" in answer else {"jsonrpc": "2.0", "id": number, "result": answer}
        text = json.dumps(whole)
        body = f"event: message\nid: 7\ndata: {text}\n\n" if events else text
        yield cast("Frame", {**shared, "direction": "response", "body": body})


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments, "_meta": {"progressToken": 3}},
    }


def said(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}


@pytest.fixture
def fixture() -> Fixture:
    """A session with a list of tools, two calls of one tool, and one that was answered by a stream."""
    progress = {
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": 3, "progress": 1},
    }
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "real", "version": "1"},
    }
    return Fixture.of(
        [
            *exchange(0, {"method": "initialize", "params": {"clientInfo": {"name": "then"}}}, hello),
            *exchange(1, {"method": "tools/list"}, LISTED),
            *exchange(2, call("echo", text="a"), said("first")),
            *exchange(3, call("echo", text="a"), said("second")),
            *exchange(4, call("echo", text="stream"), progress, said("streamed"), events=True),
        ]
    )


def ask(fixture: Fixture, request_id: object, asked: dict[str, Any]) -> dict[str, Any]:
    given = fixture.answer(json.dumps({"jsonrpc": "2.0", "id": request_id, **asked}).encode())
    return cast("dict[str, Any]", json.loads(given.body))


def test_the_same_request_gets_its_answers_in_their_order_under_the_ids_asked_with(fixture: Fixture) -> None:
    answers = [ask(fixture, f"x{number}", call("echo", text="a")) for number in range(3)]
    assert [each["id"] for each in answers] == ["x0", "x1", "x2"]
    texts = [each["result"]["content"][0]["text"] for each in answers]
    assert texts == ["first", "second", "second"]


def test_other_arguments_get_an_answer_of_the_tool_and_are_told_apart(fixture: Fixture) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 9, **call("echo", text="never said")}).encode()
    given = fixture.answer(body)
    assert not given.exact
    assert json.loads(given.body)["result"] == said("first")
    assert json.loads(fixture.refusal(body).body)["error"]["code"] == -32602


def test_what_was_never_asked_is_an_error_that_says_so(fixture: Fixture) -> None:
    assert ask(fixture, 1, {"method": "prompts/list"})["error"]["code"] == -32601
    wrong = ask(fixture, 1, {"method": "tools/call", "params": {"name": "rm"}})["error"]
    assert (wrong["code"], "tools/call rm was not recorded" in wrong["message"]) == (-32602, True)
    assert fixture.answer(b"[]").status == fixture.answer(b"{").status == 400
    assert fixture.answer(b'{"jsonrpc":"2.0","method":"notifications/initialized"}').status == 202


def test_a_stream_passes_as_it_was_but_for_the_id_of_its_answer(fixture: Fixture) -> None:
    given = fixture.answer(
        json.dumps({"jsonrpc": "2.0", "id": "mine", **call("echo", text="stream")}).encode()
    )
    events = given.body.decode().split("\n\n")[:2]
    messages = [json.loads(each.rpartition("data: ")[2]) for each in events]
    assert messages[0]["method"] == "notifications/progress"
    assert messages[1] == {"jsonrpc": "2.0", "id": "mine", "result": said("streamed")}
    assert all(each.startswith("event: message\nid: 7\n") for each in events)


@asynccontextmanager
async def asking(fixture: Fixture, *, strict: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=mock(fixture, strict))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5") as client:
        yield client


async def test_pages_of_other_sites_and_rebound_names_get_nothing(fixture: Fixture) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with asking(fixture) as client:
        assert (await client.post("/mcp", json=body)).status_code == 200
        assert (
            await client.post("/mcp", json=body, headers={"origin": "https://evil.example"})
        ).status_code == 403
        assert (await client.post("/mcp", json=body, headers={"host": "evil.example:5"})).status_code == 403
    async with asking(fixture, strict=True) as client:
        strict = await client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, **call("echo", text="new")})
        assert strict.json()["error"]["code"] == -32602


async def test_the_official_client_works_with_it(fixture: Fixture) -> None:
    import asyncio  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415
    from mcp import ClientSession  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(mock(fixture), log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        async with streamable_http_client(url) as streams, ClientSession(streams[0], streams[1]) as session:
            hello = await session.initialize()
            tools = await session.list_tools()
            answer = await session.call_tool("echo", {"text": "a"})
        server.should_exit = True
        await serving
    assert (tools.tools[0].name, answer.content[0].text) == ("echo", "first")  # type: ignore[union-attr]
    assert hello is not None
