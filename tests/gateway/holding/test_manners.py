"""Held calls of clients that open pages, take tasks, or cancel what they asked for."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.kafka import KafkaAddress
from tests.gateway.holding.office import HOLDING, POLICY, Case, call, office
from tests.gateway.holding.test_waiting import message, text, trail

pytestmark = pytest.mark.usefixtures("approving")
MODERN = "2026-07-28"
PAGED = replace(HOLDING, status_url="https://console.example.com/approvals/{id}")
URLS: dict[str, Any] = {"elicitation": {"url": {}}}
TASKS: dict[str, Any] = {"extensions": {"io.modelcontextprotocol/tasks": {}}}


def modern(name: str, capabilities: dict[str, Any], **params: Any) -> bytes:
    """A tools/call of 2026-07-28."""
    body = json.loads(call(name=name))
    body["params"] |= params
    return json.dumps(_with_meta(body, capabilities)).encode()


def about(method: str, task_id: str, capabilities: dict[str, Any] | None) -> bytes:
    """A request about a task; `capabilities` None: of 2025-11-25."""
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": {"taskId": task_id}}
    return json.dumps(body if capabilities is None else _with_meta(body, capabilities)).encode()


def _with_meta(body: Any, capabilities: dict[str, Any]) -> Any:
    body["params"]["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    }
    return body


async def post(case: Case, body: bytes) -> Any:
    """The message that answers a request of 2026-07-28."""
    asked = json.loads(body)
    named = asked["params"].get("name") or asked["params"].get("taskId", "")
    headers = {"mcp_protocol_version": MODERN, "mcp_method": asked["method"], "mcp_name": named}
    _, said = await case.caller.post(body, **headers)
    return message(said)


async def test_a_client_that_opens_pages_is_sent_to_one_and_comes_back_with_sealed_state(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path, holding=PAGED) as case:
        first = (await post(case, modern(mark, URLS)))["result"]
        asked = await case.requested(mark)
        page = first["inputRequests"]["sluicegate_approval"]["params"]
        assert first["resultType"] == "input_required"
        assert page["url"] == f"https://console.example.com/approvals/{asked['approval_id']}"
        state = first["requestState"]
        answered = {"sluicegate_approval": {"action": "accept"}}
        again = asyncio.create_task(
            post(case, modern(mark, URLS, requestState=state, inputResponses=answered))
        )
        await case.decide(asked)
        said = await again
        seen = json.loads(case.upstream.bodies[-1])
        frames = await trail(case, asked["approval_id"], ended=2)
    assert said["result"]["content"][0]["text"] == "done"
    assert case.ran(mark) == 1
    assert not {"requestState", "inputResponses"} & set(seen["params"])
    assert [f["outcome"] for f in frames if f["outcome"] != "pending"] == ["refused", "completed"]


async def test_state_that_was_given_for_another_call_is_refused_and_raised(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark, other = uuid4().hex, uuid4().hex
    async with office(kafka, tmp_path, holding=PAGED) as case:
        first = (await post(case, modern(mark, URLS)))["result"]
        asked = await case.requested(mark)
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        said = await post(case, modern(other, URLS, requestState=first["requestState"]))
    assert said["error"]["data"]["reason"] == "request_state_invalid"
    assert (case.ran(mark), case.ran(other)) == (0, 0)


async def test_a_call_held_as_a_task_runs_when_its_client_asks_after_approval(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        made = (await post(case, modern(mark, TASKS)))["result"]
        asked = await case.requested(mark)
        before = (await post(case, about("tasks/get", made["taskId"], TASKS)))["result"]
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        assert case.ran(mark) == 0  # nobody asked about it since
        after = (await post(case, about("tasks/get", made["taskId"], TASKS)))["result"]
        still = (await post(case, about("tasks/get", made["taskId"], TASKS)))["result"]
        frames = await trail(case, asked["approval_id"])
    assert (made["resultType"], before["status"], after["status"]) == ("task", "working", "completed")
    assert after["result"]["content"][0]["text"] == still["result"]["content"][0]["text"] == "done"
    assert case.ran(mark) == 1
    assert b"done" in b"".join(frame["body"] or b"" for frame in frames)


async def test_a_task_of_the_older_era_waits_for_its_result(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    body = json.loads(call(name=mark))
    body["params"]["task"] = {"ttl": 60_000}
    async with office(kafka, tmp_path) as case:
        _, said = await case.caller.post(json.dumps(body).encode(), mcp_protocol_version="2025-11-25")
        task_id = json.loads(said)["result"]["task"]["taskId"]
        asked = await case.requested(mark)
        waits = asyncio.create_task(
            case.caller.post(about("tasks/result", task_id, None), mcp_protocol_version="2025-11-25")
        )
        await case.decide(asked)
        _, said = await waits
        seen = json.loads(case.upstream.bodies[-1])
    assert text(said) == "done"
    assert "task" not in seen["params"]
    assert case.ran(mark) == 1


async def test_a_task_that_its_client_cancels_or_that_is_anothers_does_not_run(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        made = (await post(case, modern(mark, TASKS)))["result"]
        asked = await case.requested(mark)
        foreign = await post(case, about("tasks/get", made["taskId"][:-2] + "xx", TASKS))
        await post(case, about("tasks/cancel", made["taskId"], TASKS))
        await case.settled(asked["approval_id"], "revoked")
        now = (await post(case, about("tasks/get", made["taskId"], TASKS)))["result"]
    assert foreign["error"]["code"] == -32602
    assert now["status"] == "cancelled"
    assert case.ran(mark) == 0


async def test_a_call_that_its_client_cancels_is_withdrawn(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        await case.caller.post(json.dumps(cancel).encode())
        await case.settled(asked["approval_id"], "revoked")
        answer.cancel()
        frames = await trail(case, asked["approval_id"])
    assert frames[-1]["outcome"] == "client_gone"
    assert case.ran(mark) == 0


async def test_more_than_may_wait_are_turned_away(kafka: KafkaAddress, tmp_path: Path) -> None:
    marks = [uuid4().hex for _ in range(3)]
    few = replace(HOLDING, waiting_by_principal_max=2)
    async with office(kafka, tmp_path, POLICY, few) as case:
        waits = [asyncio.create_task(case.caller.post(call(name=mark))) for mark in marks[:2]]
        for mark in marks[:2]:
            await case.requested(mark)
        status, said = await case.caller.post(call(name=marks[2]))
        for each in waits:
            each.cancel()
    assert status == 429
    assert b"approvals_full" in said
