"""The official Python SDK takes `task_id` for `taskId`: another spelling of a name must not lead around the rules."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp.types import CallToolRequestParams, CallToolResult

from gateway.frames.jsonrpc import look
from gateway.policy import Around, UnreadableError, calls_of
from gateway.tools.listing import tools_in
from schemas.kafka import KafkaAddress
from tests.abuse.identified import identified
from tests.abuse.mcp_upstream import client, mcp_upstream
from tests.abuse.test_065_belonging import ALICE, BOB, STATE, Behind, answered
from tests.abuse.test_review_answers import saying


@pytest.fixture
async def behind(kafka: KafkaAddress, tmp_path: Path) -> AsyncIterator[Behind]:
    """Identity before an upstream that gives states and tasks."""
    async with (
        mcp_upstream(answered) as upstream,
        identified(kafka, tmp_path, upstream.connection) as gate,
        client(gate, kafka.bootstrap) as caller,
    ):
        yield Behind(upstream, caller)


def test_the_official_server_takes_other_spellings() -> None:
    assert CallToolRequestParams.model_validate({"name": "t", "request_state": "s"}).request_state == "s"
    assert CallToolResult.model_validate({"content": [], "is_error": True}).is_error


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "t", "request_state": STATE}),
        ("tools/call", {"name": "t", "RequestState": STATE}),
        ("tools/call", {"name": "t", "input_responses": {}}),
        ("tasks/get", {"task_id": "task-1"}),
        ("tasks/cancel", {"Task_Id": "task-1"}),
        ("subscriptions/listen", {"notifications": {"task_ids": ["task-1"]}}),
        ("tools/call", {"name": "t", "meta": {"io.modelcontextprotocol/protocolVersion": "2025-06-18"}}),
    ],
)
async def test_abuse_65_another_spelling_of_a_state_or_a_task_is_refused(
    behind: Behind, method: str, params: dict[str, Any]
) -> None:
    await behind.refused(await behind.ask(BOB, method, "t", **params), 400, "json_look_alike_key")
    assert behind.upstream.bodies == []
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    if "notifications" not in params:
        with pytest.raises(UnreadableError):
            calls_of(body, Around())


async def test_the_protocols_own_spellings_pass(behind: Behind) -> None:
    status, told = await behind.ask(
        ALICE, "tools/call", "t", name="t", task={"ttl": 1}, arguments={"task_id": 1}
    )
    assert (status, told["result"]["resultType"]) == (200, "input_required")


async def test_a_question_in_another_spelling_is_judged(kafka: KafkaAddress, tmp_path: Path) -> None:
    asks = {"a": {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}}}
    result = {"result_type": "input_required", "input_requests": asks}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()
    call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}'
    async with saying(kafka, tmp_path, "application/json", body) as caller:
        _, said = await caller.post(call)
    assert b"createMessage" not in said
    assert json.loads(said)["result"]["isError"]


def test_a_schema_in_another_spelling_is_part_of_what_is_pinned() -> None:
    def listed(schema: dict[str, Any]) -> bytes:
        return json.dumps({"result": {"tools": [{"name": "t", "input_schema": schema}]}}).encode()

    (one,), (other,) = tools_in(listed({})), tools_in(listed({"type": "object"}))
    assert one.digest != other.digest


@pytest.mark.parametrize("extra", ["", ',"structuredContent":{"a":1},"_meta":3,"content":7'])
def test_a_failure_in_another_spelling_is_recorded_as_one(extra: str) -> None:
    assert look(b'{"jsonrpc":"2.0","id":1,"result":{"is_error":true%b}}' % extra.encode()).is_error is True
