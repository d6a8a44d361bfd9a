"""ABUSE 50 to 52, 58, 64, 66: requests that say one thing to a router and another to a server, and mixed-up ids."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator

import pytest

from schemas.kafka import KafkaAddress
from tests.abuse.mcp_upstream import (
    MODERN,
    Answered,
    Client,
    McpUpstream,
    client,
    exchange_of,
    mcp_upstream,
    modern,
)
from tests.gateway.conftest import served


async def fine(body: bytes) -> Answered:
    """An upstream that is content with everything."""
    return 200, "application/json", b'{"jsonrpc":"2.0","id":1,"result":{}}'


@pytest.fixture
async def upstream() -> AsyncIterator[McpUpstream]:
    """Behind the gateway."""
    async with mcp_upstream(fine) as made:
        yield made


@pytest.fixture
async def caller(kafka: KafkaAddress, upstream: McpUpstream) -> AsyncIterator[Client]:
    """Before the gateway."""
    async with served(kafka, upstream.connection) as gate, client(gate, kafka.bootstrap) as made:
        yield made


def hidden(text: str) -> str:
    """A header value in its base64 form."""
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


CALL = modern(name="pods_delete", arguments={"namespace": "prod"})
HEADS = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call", "mcp_name": "pods_delete"}


async def refused(caller: Client, upstream: McpUpstream, body: bytes, **headers: str) -> None:
    """It must be refused with 400 and -32020, stand in the trail, and never reach upstream."""
    status, told = await caller.post(body, **headers)
    assert (status, json.loads(told)["error"]["code"]) == (400, -32020), told
    (frame,) = await caller.frames(exchange_of(told), 1)
    assert (frame["outcome"], frame["reason_code"], frame["http_status"]) == (
        "refused",
        "header_mismatch",
        400,
    )
    assert upstream.bodies == []


@pytest.mark.parametrize(
    "lie",
    [
        {"mcp_method": "tools/list"},
        {"mcp_method": "Tools/Call"},
        {"mcp_name": "pods_list"},
        {"mcp_name": hidden("pods_list")},
        {"mcp_name": hidden("pods_delete") + " "} | {"mcp_method": "ping"},
        {"mcp_param_namespace": "dev"},
        {"mcp_param_namespace": hidden("dev")},
    ],
)
async def test_abuse_50_headers_that_contradict_the_body_are_refused(
    caller: Client, upstream: McpUpstream, lie: dict[str, str]
) -> None:
    await refused(caller, upstream, CALL, **HEADS | lie)


async def test_abuse_50_a_body_that_names_no_version_may_not_be_contradicted_either(
    caller: Client, upstream: McpUpstream
) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pods_delete"}}'
    for lie in ({"mcp_method": "tools/list"}, {"mcp_name": "pods_list"}):
        await refused(caller, upstream, body, **HEADS | lie)


async def test_abuse_50_what_agrees_passes_in_either_form(caller: Client, upstream: McpUpstream) -> None:
    for name in ("pods_delete", hidden("pods_delete")):
        status, _ = await caller.post(CALL, **HEADS | {"mcp_name": name, "mcp_param_namespace": "prod"})
        assert status == 200
    assert upstream.bodies == [CALL, CALL]


@pytest.mark.parametrize("missing", ["mcp_method", "mcp_name", "mcp_protocol_version"])
async def test_abuse_51_a_required_header_that_is_missing_is_refused(
    caller: Client, upstream: McpUpstream, missing: str
) -> None:
    await refused(caller, upstream, CALL, **{name: text for name, text in HEADS.items() if name != missing})


@pytest.mark.parametrize(("header", "meta"), [("2025-11-25", MODERN), (MODERN, "2025-11-25"), ("x", MODERN)])
async def test_abuse_52_a_version_header_that_contradicts_the_body_is_refused(
    caller: Client, upstream: McpUpstream, header: str, meta: str
) -> None:
    body = modern(version=meta, name="pods_delete", arguments={})
    await refused(caller, upstream, body, **HEADS | {"mcp_protocol_version": header})


async def test_abuse_58_answers_never_cross_whatever_the_ids_are(kafka: KafkaAddress) -> None:
    all_here, waiting = asyncio.Event(), 0
    ids = ["null", "1.5", json.dumps("x" * 10_000), "7", "7", "7", '"7"', "1e300", "-0", '"\\u0037"']

    async def slow(body: bytes) -> Answered:
        """Answers when every request is in flight, each with its own marker."""
        nonlocal waiting
        waiting += 1
        if waiting == len(ids):
            all_here.set()
        await all_here.wait()
        marker = body.partition(b'"marker":')[2].partition(b"}")[0]
        return 200, "application/json", b'{"jsonrpc":"2.0","id":7,"result":{"marker":%b}}' % marker

    async with (
        mcp_upstream(slow) as upstream,
        served(kafka, upstream.connection) as gate,
        client(gate, kafka.bootstrap) as caller,
    ):
        template = '{"jsonrpc":"2.0","id":%s,"method":"ping","params":{"marker":%d}}'
        asked = [template % (each, number) for number, each in enumerate(ids)]
        answers = await asyncio.gather(*(caller.post(body.encode()) for body in asked))
        assert [json.loads(told)["result"]["marker"] for _, told in answers] == list(range(len(ids)))
        assert {status for status, _ in answers} == {200}
        rows = await caller.last(method="ping", direction="request")
        recorded = {bytes(row["body"]): row["exchange_id"] for row in rows}
        for number, body in enumerate(asked):
            _, answer = await caller.frames(str(recorded[body.encode()]), 2)
            assert json.loads(answer["body"])["result"]["marker"] == number


async def test_abuse_58_an_id_that_no_reader_can_hold_is_refused(
    caller: Client, upstream: McpUpstream
) -> None:
    status, told = await caller.post(b'{"jsonrpc":"2.0","id":1e400,"method":"ping"}')
    assert status == 400
    (frame,) = await caller.frames(exchange_of(told), 1)
    assert (frame["outcome"], frame["reason_code"]) == ("refused", "json_number")
    assert upstream.bodies == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}'),
        ("application/json", b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"is\\u0045rror":true}}'),
        (
            "text/event-stream",
            b'event: message\ndata: {"jsonrpc":"2.0","id":1,\ndata: "result":{"content":[],"isError":true}}\n\n',
        ),
    ],
)
async def test_abuse_64_an_error_under_status_200_is_recorded_as_a_failure(
    kafka: KafkaAddress, content_type: str, body: bytes
) -> None:
    async def failing(_: bytes) -> Answered:
        return 200, content_type, body

    async with (
        mcp_upstream(failing) as upstream,
        served(kafka, upstream.connection) as gate,
        client(gate, kafka.bootstrap) as caller,
    ):
        marker = f"t{upstream.port}"
        status, told = await caller.post(modern(name=marker), **HEADS | {"mcp_name": marker})
        assert (status, told) == (200, body)
        rows = await caller.last(tool=marker, tool_is_error=True)
        assert [(row["direction"], row["http_status"], row["tool_is_error"]) for row in rows] == [
            ("response", 200, True)
        ]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_abuse_66_streams_and_sessions_of_an_endpoint_that_has_none_are_refused(
    kafka: KafkaAddress, method: str
) -> None:
    async def stateless(_: bytes) -> Answered:
        return 405, "application/json", b"{}"

    async with (
        mcp_upstream(stateless) as upstream,
        served(kafka, upstream.connection) as gate,
        client(gate, kafka.bootstrap) as caller,
    ):
        assert await caller.ask(method) == 405
        assert await caller.ask(method, mcp_protocol_version=MODERN) == 405
        rows = await caller.last(http_method=method, http_status=405, direction="response")
        assert {row["outcome"] for row in rows} == {"completed"}
