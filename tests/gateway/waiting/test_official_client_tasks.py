"""A held call as a task, asked about with the official client's own types in both eras.

The client has no tasks of its own: in 2025-11-25 it has the types only, in 2026-07-28 an extension has to be written
for it. What it does with them is what is shown here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import pytest
from mcp import Client, MCPError
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    CancelTaskRequest,
    CancelTaskRequestParams,
    CancelTaskResult,
    CreateTaskResult,
    GetTaskPayloadRequest,
    GetTaskPayloadRequestParams,
    GetTaskRequest,
    GetTaskRequestParams,
    GetTaskResult,
    JSONRPCResponse,
    Result,
    TaskMetadata,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from tests.gateway.test_official_client import ERAS
from tests.gateway.waiting.door import CONNECTION, Door, held_door
from tests.gateway.waiting.shapes import ANN
from tests.gateway.waiting.test_official_client_waits import text

CALL = CallToolRequestParams(name="add", arguments={"a": 2, "b": 3}, task=TaskMetadata(ttl=60_000))


# -- 2025-11-25: asked for by the call itself


async def made(door: Door) -> CreateTaskResult:
    """A task of ours, by a request of the client's types; the client itself takes no task for an answer."""
    params = CALL.model_dump(by_alias=True, exclude_none=True)
    message = {"jsonrpc": "2.0", "id": "t1", "method": "tools/call", "params": params}
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
    headers["mcp-session-id"] = door.session
    async with door.http.post(door.url, json=message, headers=headers) as answer:
        said = jsonrpc_message_adapter.validate_json(await answer.read(), by_name=False)
    assert isinstance(said, JSONRPCResponse)
    assert said.id == "t1"
    return CreateTaskResult.model_validate(said.result, by_name=False)


async def got(client: Client, task_id: str) -> GetTaskResult:
    """How it stands."""
    return await client.session.send_request(
        GetTaskRequest(params=GetTaskRequestParams(task_id=task_id)), GetTaskResult
    )


async def outcome(client: Client, task_id: str) -> CallToolResult:
    """What the call answered, when it has."""
    asked = GetTaskPayloadRequest(params=GetTaskPayloadRequestParams(task_id=task_id))
    return await client.session.send_request(asked, CallToolResult)


def classic(door: Door) -> Client:
    """The official client of the older era, not yet connected."""
    return Client(door.url, mode="legacy", read_timeout_seconds=20)


async def test_a_call_that_asks_for_a_task_gets_one_at_once_and_its_result_when_it_is_approved() -> None:
    async with held_door() as door, classic(door) as client:
        created = await made(door)
        assert (created.task.status, created.task.ttl) == ("working", 60_000)
        assert (created.meta or {})["io.modelcontextprotocol/model-immediate-response"]
        assert (await got(client, created.task.task_id)).status == "working"
        waiting = asyncio.create_task(outcome(client, created.task.task_id))
        await door.decide("approved")
        result = await waiting
        assert text(result) == "5"
        assert (result.meta or {})["io.modelcontextprotocol/related-task"] == {"taskId": created.task.task_id}
        assert (await got(client, created.task.task_id)).status == "completed"
        assert text(await outcome(client, created.task.task_id)) == "5"
    [ran] = [sent for sent in door.forwarded if b'"tools/call"' in sent]
    assert b'"task"' not in ran
    assert door.manners == ["task"]


async def test_the_client_of_this_era_takes_no_task_for_an_answer() -> None:
    async with held_door() as door, classic(door) as client:
        with pytest.raises(ValidationError, match="content"):
            await client.session.send_request(CallToolRequest(params=CALL), CreateTaskResult)


async def test_asking_how_it_stands_makes_an_approved_call_run() -> None:
    async with held_door() as door, classic(door) as client:
        created = await made(door)
        await door.decide("approved")
        assert (await got(client, created.task.task_id)).status == "completed"
        assert text(await outcome(client, created.task.task_id)) == "5"


async def test_a_denied_task_has_failed_and_its_result_says_why() -> None:
    async with held_door() as door, classic(door) as client:
        created = await made(door)
        await door.decide("denied", comment="not today")
        assert (await got(client, created.task.task_id)).status == "failed"
        result = await outcome(client, created.task.task_id)
        assert result.is_error
        assert "denied: not today" in text(result)


async def test_a_process_that_has_not_got_the_call_says_to_repeat_it() -> None:
    async with held_door() as door, classic(door) as client:
        created = await made(door)
        door.kept.drop(door.approval.approval_id)
        assert (await got(client, created.task.task_id)).status == "working"
        await door.decide("approved")
        lost = await got(client, created.task.task_id)
        assert lost.status == "failed"
        assert "repeat the same call" in (lost.status_message or "")
        with pytest.raises(MCPError, match="repeat the same call"):
            await outcome(client, created.task.task_id)


async def test_a_cancelled_task_never_runs_and_cannot_be_cancelled_again() -> None:
    async with held_door() as door, classic(door) as client:
        created = await made(door)
        cancel = CancelTaskRequest(params=CancelTaskRequestParams(task_id=created.task.task_id))
        assert (await client.session.send_request(cancel, CancelTaskResult)).status == "cancelled"
        await door.decide("approved")
        assert (await got(client, created.task.task_id)).status == "cancelled"
        with pytest.raises(MCPError, match="cancelled"):
            await client.session.send_request(cancel, CancelTaskResult)
        with pytest.raises(MCPError, match="Cancelled"):
            await outcome(client, created.task.task_id)
    assert all(b'"tools/call"' not in sent for sent in door.forwarded)


@pytest.mark.parametrize("era", ERAS)
async def test_a_task_of_somebody_else_is_no_task(era: str) -> None:
    async with held_door() as door, Client(door.url, mode=ERAS[era], extensions=[Tasks()]) as client:
        foreign = f"sgt1.{door.approval.approval_id}.1.9999999999.{'A' * 22}"
        with pytest.raises(MCPError, match="no such task") as caught:
            await got(client, foreign)
        assert caught.value.code == -32602


# -- 2026-07-28: the client declares the extension, and the server decides


class Handle(Result):
    """A CreateTaskResult of the extension."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    ttl_ms: int | None
    poll_interval_ms: int | None = None


class Standing(Result):
    """A GetTaskResult of the extension."""

    result_type: Literal["complete"]
    task_id: str
    status: Literal["working", "input_required", "completed", "failed", "cancelled"]
    status_message: str | None = None
    created_at: str
    last_updated_at: str
    ttl_ms: int | None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Ask(GetTaskRequest):
    """Asks with the id in `Mcp-Name`, as the extension has it."""

    name_param: ClassVar[str | None] = "taskId"


class Cancel(CancelTaskRequest):
    """The same for the end."""

    name_param: ClassVar[str | None] = "taskId"


class Tasks(ClientExtension):
    """The tasks extension, as an application writes it."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.statuses: list[str] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        """Takes a handle for the result of a call."""
        return [ResultClaim(result_type="task", model=Handle, resolve=self.followed)]

    async def followed(self, handle: Handle, context: ClaimContext) -> CallToolResult:
        """Asks until it has ended."""
        self.handles.append(handle)
        while True:
            now = await asked(context.session, handle.task_id)
            self.statuses.append(now.status)
            if now.status == "completed":
                return CallToolResult.model_validate(now.result, by_name=False)
            if now.status != "working":
                raise MCPError(code=(now.error or {}).get("code", 0), message=now.status_message or "")


async def asked(session: Any, task_id: str) -> Standing:
    """How a task stands."""
    request = Ask(params=GetTaskRequestParams(task_id=task_id))
    found: Standing = await session.send_request(request, Standing)
    return found


def modern(door: Door, tasks: Tasks) -> Client:
    """The official client of the newest era with the extension, not yet connected."""
    return Client(door.url, extensions=[tasks], read_timeout_seconds=20)


async def test_who_declares_the_extension_gets_a_handle_and_the_result_with_its_state() -> None:
    tasks = Tasks()
    async with held_door() as door, modern(door, tasks) as client:
        call = asyncio.create_task(client.call_tool("add", {"a": 2, "b": 3}))
        await door.until("manners", 1)
        await door.decide("approved")
        result = await call
    assert (text(result), result.is_error) == ("5", False)
    assert door.manners == ["task"]
    assert (tasks.handles[0].status, tasks.handles[0].ttl_ms) == ("working", 60_000)
    assert tasks.statuses[-1] == "completed"
    [ran] = [sent for sent in door.forwarded if b'"tools/call"' in sent]
    assert b"modelcontextprotocol/tasks" not in ran


async def test_a_denied_task_is_complete_and_its_result_is_a_tools_error() -> None:
    tasks = Tasks()
    async with held_door() as door, modern(door, tasks) as client:
        call = asyncio.create_task(client.call_tool("add", {"a": 2, "b": 3}))
        await door.until("manners", 1)
        await door.decide("denied", comment="not today")
        result = await call
    assert result.is_error
    assert "denied: not today" in text(result)


async def test_a_lost_task_has_failed_with_an_error_that_says_to_repeat_the_call() -> None:
    tasks = Tasks()
    async with held_door() as door, modern(door, tasks) as client:
        call = asyncio.create_task(client.call_tool("add", {"a": 2, "b": 3}))
        await door.until("manners", 1)
        door.kept.drop(door.approval.approval_id)
        await door.decide("approved")
        with pytest.raises(MCPError, match="repeat the same call"):
            await call


async def test_a_cancelled_task_is_acknowledged_and_stays_cancelled() -> None:
    tasks = Tasks()
    async with held_door() as door, modern(door, tasks) as client:
        handle = await client.session.call_tool("add", {"a": 2, "b": 3}, allow_claimed=True)
        assert isinstance(handle, Handle)
        cancel = Cancel(params=CancelTaskRequestParams(task_id=handle.task_id))
        await client.session.send_request(cancel, Result)
        await door.decide("approved")
        assert (await asked(client.session, handle.task_id)).status == "cancelled"


async def test_who_has_not_declared_the_extension_may_not_ask_about_tasks() -> None:
    async with held_door() as door, Client(door.url, read_timeout_seconds=20) as client:
        task = door.ids.make(door.approval.approval_id, ANN, CONNECTION, 60)
        with pytest.raises(MCPError) as caught:
            await asked(client.session, task.task_id)
        assert caught.value.code == -32021
        assert caught.value.error.data == {
            "requiredCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}
        }
