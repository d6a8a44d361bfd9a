"""ABUSE 65, and tasks: what upstream gives to one principal is good for that one only."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.kafka import KafkaAddress
from tests.abuse.identified import bearer, identified
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

STATE = 'upstream\'s own: é \u2028 {"a": 1}'
ALICE, BOB = bearer("alice"), bearer("bob")


@dataclass
class Behind:
    """An upstream that asks for input, makes tasks and answers whatever it is asked; and a client of its gateway."""

    upstream: McpUpstream
    caller: Client

    async def ask(self, who: str, method: str, mirrored: str = "", **params: Any) -> tuple[int, Any]:
        """Status and JSON of the answer to a request of 2026-07-28."""
        heads = {"mcp_protocol_version": MODERN, "mcp_method": method, "authorization": who}
        heads |= {"mcp_name": mirrored} if mirrored else {}
        status, told = await self.caller.post(modern(method, **params), **heads)
        return status, json.loads(told)

    async def refused(self, answer: tuple[int, Any], status: int, reason_code: str) -> None:
        """It was refused for that, and stands in the trail."""
        assert answer[0] == status, answer
        assert answer[1]["error"]["data"]["reason"] == reason_code
        (frame,) = await self.caller.frames(exchange_of(json.dumps(answer[1]).encode()), 1)
        assert (frame["outcome"], frame["reason_code"]) == ("refused", reason_code)


async def answered(body: bytes) -> Answered:
    """Asks for input first; makes a task of everything called `slow`; tells tasks."""
    asked = json.loads(body)
    params = asked.get("params", {})
    result: dict[str, Any] = {"resultType": "complete", "content": [], "echo": params}
    if params.get("name") == "slow":
        result = {"resultType": "task", "taskId": "task-1", "status": "working"}
    elif asked["method"] == "tasks/get":
        result = {"resultType": "complete", "taskId": params["taskId"], "status": "completed"}
    elif asked["method"] == "tasks/list":
        result = {"tasks": [{"taskId": "task-1"}, {"taskId": "task-of-somebody"}]}
    elif asked["method"] == "tools/call" and "requestState" not in params:
        result = {"resultType": "input_required", "inputRequests": {}, "requestState": STATE}
    return (
        200,
        "application/json",
        json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode(),
    )


@pytest.fixture
async def behind(kafka: KafkaAddress, tmp_path: Path) -> AsyncIterator[Behind]:
    """All of it."""
    async with (
        mcp_upstream(answered) as upstream,
        identified(kafka, tmp_path, upstream.connection) as gate,
        client(gate, kafka.bootstrap) as caller,
    ):
        yield Behind(upstream, caller)


async def test_abuse_65_a_state_comes_back_to_upstream_as_it_was(behind: Behind) -> None:
    _, first = await behind.ask(ALICE, "tools/call", "t", name="t")
    given = first["result"]["requestState"]
    assert given != STATE
    _, second = await behind.ask(ALICE, "tools/call", "t", name="t", requestState=given)
    assert second["result"]["echo"]["requestState"] == STATE


async def test_abuse_65_a_state_of_another_principal_or_a_changed_one_is_refused(behind: Behind) -> None:
    _, first = await behind.ask(ALICE, "tools/call", "t", name="t")
    given = first["result"]["requestState"]
    before = len(behind.upstream.bodies)
    for who, state in ((BOB, given), (ALICE, given + "x"), (ALICE, "x" + given), (ALICE, STATE), (ALICE, "")):
        refused = await behind.ask(who, "tools/call", "t", name="t", requestState=state)
        await behind.refused(refused, 400, "request_state_invalid")
    assert len(behind.upstream.bodies) == before


async def test_abuse_65_a_task_belongs_to_who_made_it(behind: Behind) -> None:
    _, made = await behind.ask(ALICE, "tools/call", "slow", name="slow")
    task = made["result"]["taskId"]
    assert task != "task-1"
    _, told = await behind.ask(ALICE, "tasks/get", task, taskId=task)
    assert told["result"]["taskId"] == task
    assert json.loads(behind.upstream.bodies[-1])["params"]["taskId"] == "task-1"
    assert b"mcp-name: task-1\r\n" in behind.upstream.heads[-1].lower()

    before = len(behind.upstream.bodies)
    for who, name in ((BOB, task), (ALICE, "task-1"), (BOB, "task-1"), (ALICE, "task-of-somebody")):
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            await behind.refused(await behind.ask(who, method, name, taskId=name), 404, "task_not_yours")
    assert len(behind.upstream.bodies) == before


async def test_abuse_65_a_list_of_tasks_tells_of_nobody_elses(behind: Behind) -> None:
    _, made = await behind.ask(ALICE, "tools/call", "slow", name="slow")
    for who, tasks in ((ALICE, [{"taskId": made["result"]["taskId"]}]), (BOB, [])):
        _, told = await behind.ask(who, "tasks/list")
        assert told["result"]["tasks"] == tasks


async def test_abuse_50_a_header_that_names_another_task_is_refused(behind: Behind) -> None:
    _, made = await behind.ask(ALICE, "tools/call", "slow", name="slow")
    task = made["result"]["taskId"]
    await behind.refused(await behind.ask(ALICE, "tasks/get", "other", taskId=task), 400, "header_mismatch")
