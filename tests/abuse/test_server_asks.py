"""What upstream asks of the client stands under policy: sampling, questions, roots, in both eras."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from gateway.settings import Connection
from schemas.kafka import KafkaAddress
from tests.abuse import mcp_upstream as behind
from tests.abuse.mcp_upstream import MODERN, Answered, McpUpstream, client, mcp_upstream, modern
from tests.gateway.conftest import served
from tests.gateway.sdk_server import sdk_server
from tests.gateway.test_official_client import ERAS

POLICY = """
default: allow
rules:
  - name: no-sampling
    when: mcp.sender == 'server' && mcp.method == 'sampling/createMessage'
    deny: no server asks our models
"""
DONE = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
ROOTS = b'{"jsonrpc":"2.0","id":"r1","method":"roots/list"}'
SAMPLING = (
    b'{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}'
)
HEADS = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call", "mcp_name": "t"}


def event(data: bytes) -> bytes:
    """An event with an id."""
    return b"id: 9\nevent: message\ndata: " + data + b"\n\n"


@asynccontextmanager
async def asking(
    kafka: KafkaAddress, folder: Path, *events: bytes, body: bytes = b""
) -> AsyncIterator[tuple[McpUpstream, behind.Client, asyncio.Queue[bytes]]]:
    """An upstream that says this to every call; what else it is told comes into the queue."""
    told: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(asked: bytes) -> Answered:
        if b'"method"' not in asked:
            told.put_nowait(asked)
            return 202, "application/json", b""
        if body:
            return 200, "application/json", body
        return 200, "text/event-stream", b"".join(events)

    policy = folder / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    async with mcp_upstream(answer) as upstream:
        connection = replace(upstream.connection, policy_file=policy)
        async with served(kafka, connection) as gate, client(gate, kafka.bootstrap) as caller:
            yield upstream, caller, told


@pytest.mark.parametrize(
    "hostile",
    [
        SAMPLING,
        SAMPLING.replace(b"sampling", b"s\\u0061mpling"),
        SAMPLING.replace(b'"method"', b'"meth\\u006fd"'),
        SAMPLING.replace(b'"method"', b'"method":"ping","method"'),
        SAMPLING.replace(b'"maxTokens":1', b'"temperature":NaN'),
        SAMPLING.replace(b'"maxTokens":1', b'"x":"\\ud800"'),
        b"[" + ROOTS + b"," + SAMPLING + b"]",
    ],
)
async def test_a_request_that_policy_denies_never_reaches_the_client_and_upstream_hears_no(
    kafka: KafkaAddress, tmp_path: Path, hostile: bytes
) -> None:
    async with asking(kafka, tmp_path, event(hostile), event(DONE)) as (_, caller, told):
        status, stream = await caller.post(
            b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}'
        )
        assert status == 200
        assert b"createMessage" not in stream
        assert b"s1" not in stream
        assert stream.endswith(event(DONE))
        assert stream.startswith(b"id: 9\n")
        assert (b"roots/list" in stream) == (b"roots/list" in hostile)
        async with asyncio.timeout(30):
            said = json.loads(await told.get())
        assert (said["id"], said["error"]["code"]) == ("s1", -32089)
        assert said["error"]["data"]["rule"] == "no-sampling"
        (frame,) = [
            row
            for row in await caller.frames(said["error"]["data"]["exchange_id"], 4)
            if row["verdict"] == "deny"
        ]
        assert (frame["direction"], frame["rule"]) == ("response", "no-sampling")
        assert b"createMessage" in frame["body"] or b"\\u0061" in frame["body"]


async def test_a_request_that_policy_allows_passes_as_it_is(kafka: KafkaAddress, tmp_path: Path) -> None:
    async with asking(kafka, tmp_path, event(ROOTS), event(DONE)) as (_, caller, told):
        _, stream = await caller.post(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}')
        assert stream == event(ROOTS) + event(DONE)
        assert told.empty()


@pytest.mark.parametrize("as_event", [False, True])
@pytest.mark.parametrize("key", [b'"method"', b'"m\\u0065thod"'])
async def test_an_answer_that_asks_what_policy_denies_becomes_a_refusal_of_the_call(
    kafka: KafkaAddress, tmp_path: Path, as_event: bool, key: bytes
) -> None:
    inputs = b'{"a":{%b:"roots/list"},"b":{%b:"sampling/createMessage","params":{}}}' % (key, key)
    needs = b'{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":%b}}' % inputs
    said = {"body": needs} if not as_event else {}
    async with asking(kafka, tmp_path, event(needs), **said) as (_, caller, told):
        status, answer = await caller.post(modern(name="t"), **HEADS)
        assert status == 200
        assert b"createMessage" not in answer
        result = json.loads(answer.partition(b"data: ")[2] if as_event else answer)["result"]
        assert (result["isError"], result["resultType"]) == (True, "complete")
        assert result["_meta"]["sluicegate/refusal"]["rule"] == "no-sampling"
        assert told.empty()


@pytest.mark.parametrize("era", ERAS)
async def test_the_official_client_and_server_go_on_when_a_question_is_denied(
    kafka: KafkaAddress, tmp_path: Path, era: str
) -> None:
    async def never(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        raise AssertionError("a denied question has reached the client")

    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("sampling/createMessage", "elicitation/create"), "utf-8")
    async with sdk_server() as upstream:
        connection = Connection("demo", upstream=upstream.url, policy_file=policy)
        async with (
            served(kafka, connection) as gate,
            Client(
                gate.url(), mode=ERAS[era], elicitation_callback=never, read_timeout_seconds=20
            ) as official,
        ):
            try:
                result = await official.call_tool("greet", {})
                told = str(result.content) if result.is_error else ""
            except MCPError as failed:  # this server hands the refusal of its question on as its own error
                told = failed.error.message
            assert "no server asks our models (rule no-sampling)" in told
            assert (await official.call_tool("add", {"a": 1, "b": 2})).structured_content == {"result": 3}
