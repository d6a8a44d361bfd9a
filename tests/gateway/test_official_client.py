"""The official MCP client works through the gateway as it does without, in both eras, and all of it is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextContent

from gateway.settings import Connection
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Served, Upstream, demo, served
from tests.gateway.sdk_server import SdkServer, sdk_server
from tests.support.trail import check_lanes, read_frames

ERAS = {"2025-11-25": "legacy", "2026-07-28": "auto"}


@dataclass(frozen=True)
class Through:
    """An SDK server behind a gateway."""

    upstream: SdkServer
    gateway: Served
    kafka: KafkaAddress
    connection: str

    def client(self, era: str) -> Client:
        """The official client, not yet connected."""

        async def answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            assert params.message == "Who are you?"
            return ElicitResult(action="accept", content={"name": "Ada"})

        return Client(
            self.gateway.url(self.connection),
            mode=ERAS[era],
            elicitation_callback=answer,
            read_timeout_seconds=20,
        )

    async def frames(self) -> list[FrameRecorded]:
        """What the trail has of this test, by time, once every exchange but open GET streams has ended."""
        async with asyncio.timeout(60):
            while True:
                rows = await read_frames(self.kafka.bootstrap)
                frames = [row.frame for row in rows if row.frame["connection"] == self.connection]
                open_ones = {f["exchange_id"] for f in frames} - {
                    f["exchange_id"] for f in frames if f["outcome"] != "pending"
                }
                if frames and not open_ones:
                    check_lanes(rows)
                    return sorted(frames, key=lambda frame: frame["recorded_at"])


@pytest.fixture
async def through(kafka: KafkaAddress) -> AsyncIterator[Through]:
    """A gateway before an SDK server, with a connection name of this test's own."""
    name = f"sdk-{uuid4().hex[:8]}"
    async with (
        sdk_server() as upstream,
        served(kafka, Connection(name, upstream=upstream.url), deadline_seconds=5.0) as gateway,
    ):
        yield Through(upstream, gateway, kafka, name)


async def said(client: Client, tool: str, **arguments: Any) -> str:
    """The text that a tool answers."""
    result = await client.call_tool(tool, arguments)
    content = result.content[0]
    assert isinstance(content, TextContent)
    return content.text


def outcomes(frames: list[FrameRecorded]) -> dict[str, int]:
    """How many exchanges ended how."""
    last = {frame["exchange_id"]: frame["outcome"] for frame in frames if frame["outcome"] != "pending"}
    return {outcome: list(last.values()).count(outcome) for outcome in set(last.values())}


@pytest.mark.parametrize("era", ERAS)
async def test_tools_progress_and_questions_to_the_client_pass(through: Through, era: str) -> None:
    steps: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total, message))

    async with through.client(era) as client:
        assert client.protocol_version == era
        assert {tool.name for tool in (await client.list_tools()).tools} >= {"add", "count", "greet"}
        assert await said(client, "add", a=2, b=3) == "5"
        await client.call_tool("count", {"to": 3}, progress_callback=on_progress)
        assert steps == [(n, 3, f"at {n} of 3") for n in (1, 2, 3)]
        assert await said(client, "greet") == "hello Ada"
    frames = await through.frames()
    asked = [frame for frame in frames if frame["direction"] == "request"]
    assert {f["tool"] for f in asked} >= {"add", "count", "greet"}
    events = [f for f in frames if f["direction"] == "response" and f["method"] == "notifications/progress"]
    assert len(events) == 3
    assert {f["tool"] for f in frames if f["tool_is_error"] is False} >= {"add", "count", "greet"}
    assert set(outcomes(frames)) <= {"completed", "client_gone"}


async def test_a_session_is_one_session_from_the_answer_to_initialize_to_its_delete(through: Through) -> None:
    async with through.client("2025-11-25") as client:
        await client.list_tools()
    frames = await through.frames()
    opened = next(f for f in frames if f["direction"] == "response")
    assert (opened["method"], opened["mcp_session_id"] != "") == ("initialize", True)
    ended = [f for f in frames if f["http_method"] == "DELETE"]
    assert [f["direction"] for f in ended] == ["request", "response"]
    assert {f["session_id"] for f in ended} == {opened["session_id"]}
    others = [f for f in frames if f["mcp_session_id"]]
    assert {f["session_id"] for f in others} == {opened["session_id"]}


async def test_a_question_to_the_client_and_its_answer_are_frames_of_their_own(through: Through) -> None:
    async with through.client("2025-11-25") as client:
        assert await said(client, "greet") == "hello Ada"
    frames = await through.frames()
    (asked,) = [f for f in frames if f["method"] == "elicitation/create" and f["direction"] == "response"]
    (answered,) = [f for f in frames if f["direction"] == "request" and f["jsonrpc_type"] == "response"]
    assert asked["jsonrpc_type"] == "request"
    assert asked["jsonrpc_id"] == answered["jsonrpc_id"]
    assert json.loads(answered["body"])["result"]["content"] == {"name": "Ada"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_cancelled_call_ends_upstream_and_is_recorded(through: Through, era: str) -> None:
    async with through.client(era) as client:
        call = asyncio.create_task(client.call_tool("hang", {}))
        await asyncio.wait_for(through.upstream.begun.wait(), 10)
        call.cancel()
        await asyncio.wait({call})
        await asyncio.wait_for(through.upstream.cancelled.wait(), 10)
        assert await said(client, "add", a=1, b=1) == "2"
    frames = await through.frames()
    if era == "2025-11-25":
        assert [f for f in frames if f["method"] == "notifications/cancelled" and f["direction"] == "request"]
    else:
        assert [f["outcome"] for f in frames if f["tool"] == "hang"][-1] == "client_gone"


async def test_a_stream_that_upstream_drops_is_resumed_with_the_last_event_id(through: Through) -> None:
    async with through.client("2025-11-25") as client:
        assert await said(client, "drop") == "resumed"
    frames = await through.frames()
    (resumed,) = [f for f in frames if "last-event-id: " in f["http_headers"] and f["http_method"] == "GET"]
    told = resumed["http_headers"].partition("last-event-id: ")[2].partition("\n")[0]
    assert told in {f["sse_event_id"] for f in frames if f["tool"] == "drop"}
    assert b'"resumed"' in b"".join(f["body"] for f in frames if f["exchange_id"] == resumed["exchange_id"])


BATCH = (
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"}, {"jsonrpc":"2.0","method":"notifications/x"},'
    b'\n{"jsonrpc":"2.0","id":2,"method":"tools/list"}]'
)
HEADERS = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2025-03-26",
}


async def test_a_batch_of_2025_03_26_passes_byte_for_byte(kafka: KafkaAddress, upstream: Upstream) -> None:
    answers = b'[{"jsonrpc":"2.0","id":1,"result":{}} , {"jsonrpc":"2.0","id":2,"result":{"tools":[]}}]'
    upstream.answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(answers),
        answers,
    )
    async with (
        served(kafka, demo(upstream)) as gateway,
        aiohttp.ClientSession() as client,
        client.post(gateway.url(), data=BATCH, headers=HEADERS) as response,
    ):
        assert (response.status, await response.read()) == (200, answers)
    assert bytes(upstream.seen).endswith(b"\r\n\r\n" + BATCH)


@pytest.mark.parametrize(
    ("method", "body", "extra"),
    [
        ("POST", BATCH, {}),
        ("POST", b"not json", {}),
        ("POST", b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {"mcp-session-id": "unknown"}),
        ("POST", b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {"accept": "text/plain"}),
        ("POST", b'{"jsonrpc":"2.0","id":1,"method":"x"}', {"mcp-protocol-version": "1999-01-01"}),
        ("GET", b"", {}),
        ("GET", b"", {"mcp-session-id": "unknown", "last-event-id": "7"}),
        ("DELETE", b"", {"mcp-session-id": "unknown"}),
        ("PUT", b"{}", {}),
    ],
)
async def test_what_the_server_refuses_is_refused_in_its_own_words(
    through: Through, method: str, body: bytes, extra: dict[str, str]
) -> None:
    headers = {**HEADERS, **extra}
    async with aiohttp.ClientSession() as client:
        answers = []
        for url in (through.upstream.url, through.gateway.url(through.connection)):
            async with client.request(method, url, data=body, headers=headers) as response:
                answers.append((response.status, response.content_type, await response.read()))
    assert answers[0] == answers[1]
    assert answers[0][0] >= 400
    assert outcomes(await through.frames()) == {"completed": 1}
