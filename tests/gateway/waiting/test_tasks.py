"""How a task of ours stands, and the forms in which both eras are told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp.types import (
    CallToolResult,
    CancelTaskResult,
    CreateTaskResult,
    GetTaskResult,
    JSONRPCResponse,
    ListTasksResult,
    jsonrpc_message_adapter,
)

from gateway.frames.jsonrpc import Look, look
from gateway.held import Approval
from gateway.waiting import HeldTasks, OpenedTask, Standing, standing, tasks
from gateway.waiting.answers import Told
from tests.gateway.waiting.shapes import (
    APPROVED,
    CLASSIC,
    DENIED,
    EXPIRED,
    ID,
    MODERN,
    PENDING,
    REVOKED,
    USED,
    body,
    held,
    modern_meta,
    request,
)

TASK = OpenedTask("sgt1.x", ID, 1_800_000_000, 1_800_000_900)
FINE = b'{"jsonrpc":"2.0","id":7,"result":{"content":[],"isError":false}}'
BAD = b'{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"no"}],"isError":true}}'
ERROR = b'{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no such tool"}}'
eras = pytest.mark.parametrize("version", [CLASSIC, MODERN])


def asking(method: str = "tasks/get") -> Look:
    """A request about the task."""
    return look(body(method, taskId=TASK.task_id))


def kept(*steps: str, answer: bytes = FINE) -> Any:
    """What a process has of the call after these steps."""
    store = HeldTasks(clock=lambda: 1_800_000_060.0)
    store.put(TASK, held(), request(body()))
    for step in steps:
        if step == "answered":
            store.answered(ID, answer)
        else:
            getattr(store, step)(ID)
    return store.find(ID)


def stands(
    approval: Approval | None, one: Any = None, method: str = "tasks/get", version: str = CLASSIC
) -> Standing:
    """How the task stands."""
    return standing(asking(method), TASK, approval, one, "wiped by two", version=version)


def said(told: Told | None) -> dict[str, Any]:
    """The result."""
    assert told is not None
    status, headers, data = told
    assert (status, headers) == (200, [(b"content-type", b"application/json")])
    message = jsonrpc_message_adapter.validate_json(data, by_name=False)
    assert isinstance(message, JSONRPCResponse)
    assert message.id == 7
    return message.result


# -- how it stands


@pytest.mark.parametrize("approval", [None, PENDING])
def test_what_nobody_has_decided_is_working(approval: Approval | None) -> None:
    now = stands(approval, kept())
    assert (now.step, now.status) == ("tell", "working")
    assert ID in now.text
    assert stands(approval, None).status == "working"  # on a replica that has not got the call
    assert stands(approval, kept(), "tasks/result").step == "wait"


def test_what_is_approved_runs_when_its_result_is_asked_for_and_not_otherwise() -> None:
    for method in ("tasks/get", "tasks/result"):
        assert stands(APPROVED, kept(), method).step == "run"
    for method in ("tasks/cancel", "tasks/update", "tasks/list"):
        now = stands(APPROVED, kept(), method)
        assert (now.step, now.status) == ("tell", "working")


def test_what_runs_is_not_run_again() -> None:
    for approval in (APPROVED, USED):
        now = stands(approval, kept("take"))
        assert (now.step, now.status) == ("tell", "working")
        assert stands(approval, kept("take"), "tasks/result").step == "wait"


@pytest.mark.parametrize(
    ("answer", "classic", "modern"),
    [(FINE, "completed", "completed"), (BAD, "failed", "completed"), (ERROR, "failed", "failed")],
)
def test_what_has_run_has_ended_as_each_era_names_it(answer: bytes, classic: str, modern: str) -> None:
    one = kept("take", "answered", answer=answer)
    for approval in (USED, APPROVED, None):
        now = stands(approval, one)
        assert (now.step, now.status, now.answer) == ("tell", classic, answer)
        assert stands(approval, one, version=MODERN).status == modern


@pytest.mark.parametrize("approval", [DENIED, EXPIRED])
def test_what_is_denied_ends_with_the_words_of_a_tools_error(approval: Approval) -> None:
    for one in (kept(), None):
        now = stands(approval, one)
        assert (now.step, now.status) == ("tell", "failed")
        result = json.loads(now.answer)["result"]
        assert (result["isError"], result["content"][0]["text"]) == (True, now.text)
        now = stands(approval, one, version=MODERN)
        assert now.status == "completed"
        assert json.loads(now.answer)["result"]["resultType"] == "complete"


@eras
def test_what_is_withdrawn_or_cancelled_is_cancelled(version: str) -> None:
    for now in (
        stands(REVOKED, None, version=version),
        stands(PENDING, kept("cancel"), version=version),
        stands(APPROVED, kept("cancel"), version=version),
        stands(USED, kept("take", "cancel"), version=version),
    ):
        assert (now.step, now.status) == ("tell", "cancelled")
        assert json.loads(now.answer)["error"]["code"] == -32089


@eras
def test_an_approved_call_that_is_not_here_is_to_be_repeated_and_one_that_has_run_is_not(
    version: str,
) -> None:
    lost, gone = stands(APPROVED, None, version=version), stands(USED, None, version=version)
    assert (lost.status, gone.status) == ("failed", "failed")
    assert "repeat the same call; it finds its approval" in lost.text
    assert "repeat" not in gone.text
    assert "its result is not kept here" in gone.text
    assert json.loads(lost.answer)["error"]["data"] == {"reason": "approval_approved", "approval_id": ID}


def test_a_used_approval_whose_call_still_waits_here_was_used_by_another() -> None:
    assert stands(USED, kept()).status == "failed"


# -- what is told


def test_a_handle_of_2025_11_25() -> None:
    result = said(tasks.created(look(body(task={})), TASK, "It waits.", version=CLASSIC))
    found = CreateTaskResult.model_validate(result, by_name=False)
    assert found.task.model_dump(by_alias=True) == {
        "taskId": "sgt1.x",
        "status": "working",
        "statusMessage": "It waits.",
        "createdAt": "2027-01-15T08:00:00Z",
        "lastUpdatedAt": "2027-01-15T08:00:00Z",
        "ttl": 900_000,
        "pollInterval": 5000,
    }
    assert (found.meta or {})["io.modelcontextprotocol/model-immediate-response"] == "It waits."


def test_a_handle_of_the_extension() -> None:
    asked = look(body(meta=modern_meta(extensions={"io.modelcontextprotocol/tasks": {}})))
    assert said(tasks.created(asked, TASK, "It waits.")) == {
        "resultType": "task",
        "taskId": "sgt1.x",
        "status": "working",
        "statusMessage": "It waits.",
        "createdAt": "2027-01-15T08:00:00Z",
        "lastUpdatedAt": "2027-01-15T08:00:00Z",
        "ttlMs": 900_000,
        "pollIntervalMs": 5000,
    }


def test_how_it_stands_in_2025_11_25() -> None:
    now = stands(USED, kept("take", "answered"))
    result = said(tasks.told(asking(), TASK, now, version=CLASSIC, poll_seconds=2))
    found = GetTaskResult.model_validate(result, by_name=False)
    assert (found.status, found.poll_interval, found.ttl) == ("completed", 2000, 900_000)
    assert found.last_updated_at == "2027-01-15T08:01:00Z"
    assert "result" not in result
    assert "resultType" not in result


def test_how_it_stands_in_the_extension_with_what_has_come_of_it() -> None:
    fine = stands(USED, kept("take", "answered"), version=MODERN)
    result = said(tasks.told(asking(), TASK, fine, version=MODERN))
    assert (result["resultType"], result["status"]) == ("complete", "completed")
    assert result["result"] == {"content": [], "isError": False}
    bad = stands(USED, kept("take", "answered", answer=ERROR), version=MODERN)
    result = said(tasks.told(asking(), TASK, bad, version=MODERN))
    assert (result["status"], result["error"]["message"]) == ("failed", "no such tool")
    for approval in (PENDING, REVOKED):
        result = said(tasks.told(asking(), TASK, stands(approval, version=MODERN), version=MODERN))
        assert not {"result", "error"} & set(result)


def test_the_outcome_of_2025_11_25_is_the_calls_own_answer_and_says_whose_it_is() -> None:
    with_meta = (
        b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"a":[1]},"big":12345678901234567890}}'
    )
    now = stands(USED, kept("take", "answered", answer=with_meta), "tasks/result")
    result = said(tasks.told(asking("tasks/result"), TASK, now, version=CLASSIC))
    assert CallToolResult.model_validate(result, by_name=False).meta == {
        "a": [1],
        "io.modelcontextprotocol/related-task": {"taskId": "sgt1.x"},
    }
    assert result["big"] == 12345678901234567890
    now = stands(USED, kept("take", "answered", answer=ERROR), "tasks/result")
    told = tasks.told(asking("tasks/result"), TASK, now, version=CLASSIC)
    assert told is not None
    assert json.loads(told[2]) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": -32602, "message": "no such tool"},
    }


def test_a_result_that_is_not_waited_for_any_longer_is_to_be_asked_for_again() -> None:
    now = stands(PENDING, kept(), "tasks/result")
    told = tasks.told(asking("tasks/result"), TASK, now, version=CLASSIC)
    assert told is not None
    said_error = json.loads(told[2])["error"]
    assert said_error["message"].endswith("Ask again.")
    assert said_error["data"] == {"reason": "approval_pending"}


def test_cancelling_is_acknowledged_in_the_words_of_each_era() -> None:
    before = stands(PENDING, kept(), "tasks/cancel")
    result = said(tasks.told(asking("tasks/cancel"), TASK, before, version=CLASSIC))
    assert CancelTaskResult.model_validate(result, by_name=False).status == "cancelled"
    assert said(tasks.told(asking("tasks/cancel"), TASK, before, version=MODERN)) == {
        "resultType": "complete"
    }


def test_what_has_ended_cannot_be_cancelled_in_2025_11_25() -> None:
    for before in (
        stands(DENIED, kept(), "tasks/cancel"),
        stands(USED, kept("take", "answered"), "tasks/cancel"),
    ):
        told = tasks.told(asking("tasks/cancel"), TASK, before, version=CLASSIC)
        assert told is not None
        assert json.loads(told[2])["error"]["code"] == -32602


def test_a_method_that_the_revision_does_not_have_is_answered_by_nobody_here() -> None:
    now = stands(PENDING, kept())
    assert tasks.told(asking("tasks/result"), TASK, now, version=MODERN) is None
    assert tasks.told(asking("tasks/update"), TASK, now, version=CLASSIC) is None
    assert tasks.told(asking("tasks/other"), TASK, now, version=MODERN) is None
    assert said(tasks.told(asking("tasks/update"), TASK, now, version=MODERN)) == {"resultType": "complete"}


def test_an_unknown_task_is_an_invalid_parameter() -> None:
    status, _, data = tasks.unknown(asking())
    assert (status, json.loads(data)["error"]["code"], json.loads(data)["id"]) == (200, -32602, 7)


def test_who_has_not_declared_the_extension_may_not_ask() -> None:
    declared = body("tasks/get", meta=modern_meta(extensions={"io.modelcontextprotocol/tasks": {}}))
    assert tasks.undeclared(look(declared), declared) is None
    assert tasks.undeclared(asking(), body("tasks/get"), CLASSIC) is None
    bare = body("tasks/get", meta=modern_meta())
    told = tasks.undeclared(look(bare), bare)
    assert told is not None
    assert (told[0], json.loads(told[2])["error"]["code"]) == (400, -32021)


# -- the list of 2025-11-25


@pytest.mark.parametrize("theirs", [b"[]", b" [ ] ", b'[{"taskId":"u","status":"working"}]'])
def test_our_tasks_stand_before_upstreams_in_the_list(theirs: bytes) -> None:
    answer = b'{"jsonrpc":"2.0","id":7,"result":{"tasks":' + theirs + b',"nextCursor":"c"}}'
    ours = [(TASK, stands(PENDING, kept(), "tasks/list"))]
    both = tasks.listed(body("tasks/list"), answer, ours)
    message = json.loads(both)
    names = [each["taskId"] for each in message["result"]["tasks"]]
    assert names == ["sgt1.x", *[each["taskId"] for each in json.loads(theirs)]]
    assert message["result"]["nextCursor"] == "c"
    if len(names) == 1:
        assert ListTasksResult.model_validate(message["result"], by_name=False).tasks[0].status == "working"


def test_the_list_stays_as_it_is_where_nothing_is_to_be_added() -> None:
    answer = b'{"jsonrpc":"2.0","id":7,"result":{"tasks":[]}}'
    ours = [(TASK, stands(PENDING, kept(), "tasks/list"))]
    assert tasks.listed(body("tasks/list"), answer, []) is answer
    assert tasks.listed(body("tasks/list", cursor="c"), answer, ours) is answer
    for odd in (ERROR, b"<html>", b'{"result":{"tasks":{}}}', b""):
        assert tasks.listed(body("tasks/list"), odd, ours) == odd
