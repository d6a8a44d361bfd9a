"""A task belongs to whoever made it: its id works for nobody else, and lists and notices tell of nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.frames.headers import Headers
from gateway.tools.seals import Fault, Seal
from gateway.tools.task_answers import answered_tasks, seal_tasks
from gateway.tools.tasks import NOT_YOURS, RELATED, OpenedRequest, OwnTasks, open_tasks, task_of

ALICE = Seal(b"k" * 32, "demo", "https://issuer.example", "alice")
BOB = ALICE._replace(subject="bob")
SEALED = ALICE.close("t1", "task")


def nobody(task: str) -> bool:
    """No task is known."""
    return False


def body(**message: Any) -> bytes:
    """A JSON-RPC message."""
    return json.dumps({"jsonrpc": "2.0", **message}).encode()


def asked(method: str, **params: Any) -> bytes:
    """A client's request."""
    return body(id=1, method=method, params=params)


@pytest.mark.parametrize(
    "result",
    [
        {"task": {"taskId": "t1", "status": "working"}},  # 2025-11-25
        {"taskId": "t1", "status": "working", "resultType": "task"},  # 2026-07-28
        {"content": [], "_meta": {RELATED: {"taskId": "t1"}}},
    ],
)
def test_an_answer_names_the_task_of_the_one_who_asked(result: dict[str, Any]) -> None:
    answer = body(id=1, result=result)
    assert answered_tasks(answer) == ["t1"]
    assert seal_tasks(answer, ALICE, nobody) == answer.replace(b'"t1"', json.dumps(SEALED).encode())


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/cancel", "tasks/update"])
def test_a_task_is_opened_for_its_principal_and_for_nobody_else(method: str) -> None:
    request = asked(method, taskId=SEALED)
    opened = open_tasks(request, [(b"mcp-name", SEALED.encode()), (b"accept", b"*/*")], ALICE)
    assert opened == OpenedRequest(
        asked(method, taskId="t1"), [(b"mcp-name", b"t1"), (b"accept", b"*/*")], ("t1",)
    )
    fault = open_tasks(request, [], BOB)
    assert isinstance(fault, Fault)
    assert fault.reason_code == NOT_YOURS


@pytest.mark.parametrize("task", ["t1", "", 5, None, SEALED + "x", BOB.close("t1", "task")])
def test_a_task_that_was_not_given_to_the_principal_is_refused(task: object) -> None:
    assert isinstance(open_tasks(asked("tasks/get", taskId=task), [], ALICE), Fault)
    assert isinstance(open_tasks(asked("subscriptions/listen", taskIds=[task]), [], ALICE), Fault)
    listen = asked("subscriptions/listen", notifications={"taskIds": [SEALED, task]})
    assert isinstance(open_tasks(listen, [], ALICE), Fault)


def test_what_is_listened_to_is_opened() -> None:
    opened = open_tasks(asked("subscriptions/listen", notifications={"taskIds": [SEALED]}), [], ALICE)
    assert isinstance(opened, OpenedRequest)
    assert opened.body == asked("subscriptions/listen", notifications={"taskIds": ["t1"]})


@pytest.mark.parametrize("name", ["日本", " a", "=?base64?x", ""])
def test_a_name_that_no_header_holds_is_mirrored_in_its_base64_form(name: str) -> None:
    from gateway.frames.modern import decoded  # noqa: PLC0415
    from gateway.tools.tasks import header_value  # noqa: PLC0415

    sealed = ALICE.close(name, "task")
    headers: Headers = [(b"mcp-name", header_value(sealed))]
    opened = open_tasks(asked("tasks/get", taskId=sealed), headers, ALICE)
    assert isinstance(opened, OpenedRequest)
    assert decoded(opened.headers[0][1]) == name


def test_what_belongs_to_a_task_names_it_as_upstream_knows_it() -> None:
    message = body(id=9, result={"action": "accept", "_meta": {RELATED: {"taskId": SEALED}}})
    opened = open_tasks(message, [], ALICE)
    assert isinstance(opened, OpenedRequest)
    assert opened.body == message.replace(SEALED.encode(), b"t1")
    assert isinstance(open_tasks(message, [], BOB), Fault)


def test_tasks_of_the_clients_own_are_left_alone() -> None:
    for message in (
        body(id=9, result={"task": {"taskId": "mine"}}),
        body(id=9, result={"_meta": {RELATED: {"taskId": "mine"}}}),
        body(method="notifications/tasks/status", params={"taskId": "mine", "status": "working"}),
    ):
        opened = open_tasks(message, [], ALICE)
        assert isinstance(opened, OpenedRequest)
        assert opened.body == message
    theirs = body(id=3, method="tasks/get", params={"taskId": "mine"})
    assert seal_tasks(theirs, ALICE, nobody) == theirs


def test_a_list_holds_the_principals_own_tasks() -> None:
    answer = body(
        id=1, result={"tasks": [{"taskId": "t0"}, {"taskId": "t1"}, {"taskId": "t2"}], "nextCursor": "c"}
    )
    listed = json.loads(seal_tasks(answer, ALICE, lambda task: task == "t1"))["result"]
    assert listed == {"tasks": [{"taskId": SEALED}], "nextCursor": "c"}
    assert answered_tasks(answer) == []


@pytest.mark.parametrize("method", ["notifications/tasks/status", "notifications/tasks"])
def test_notices_of_others_tasks_stay_away(method: str) -> None:
    def event(task: str) -> bytes:
        return b"event: message\nid: 5\ndata: " + body(method=method, params={"taskId": task}) + b"\n\n"

    def mine(task: str) -> bool:
        return task == "t1"

    assert seal_tasks(event("t1"), ALICE, mine, event=True) == event(SEALED)
    assert seal_tasks(event("t2"), ALICE, mine, event=True) == b"id: 5\n\n"
    both = b"[" + body(method=method, params={"taskId": "t2"}) + b"," + body(id=1, result={}) + b"]"
    assert seal_tasks(both, ALICE, mine) == b"[" + body(id=1, result={}) + b"]"


def test_a_request_of_upstream_within_a_task_names_it_sealed_where_it_is_known() -> None:
    request = body(id=1, method="elicitation/create", params={"_meta": {RELATED: {"taskId": "t1"}}})
    assert seal_tasks(request, ALICE, nobody) == request
    assert json.loads(seal_tasks(request, ALICE, lambda _: True)) == {
        **json.loads(request),
        "params": {"_meta": {RELATED: {"taskId": SEALED}}},
    }


def test_what_was_noted_is_known_until_there_are_too_many() -> None:
    own = OwnTasks(2)
    own.note(ALICE, "t1")
    own.note(BOB, "t2")
    assert (own.of(ALICE)("t1"), own.of(BOB)("t1"), own.of(BOB)("t2")) == (True, False, True)
    own.note(ALICE, "t3")
    assert not own.of(ALICE)("t1")


def test_the_task_of_a_request_is_told() -> None:
    assert task_of(asked("tasks/get", taskId="t1")) == "t1"
    for other in (
        asked("tools/call", taskId="t1"),
        asked("tasks/list"),
        b"{",
        b"[]",
        asked("tasks/get", taskId=1),
    ):
        assert task_of(other) == ""


@pytest.mark.parametrize(
    "message", [b'{"id":1,"result":{"task":', b"tasks", b'{"result":{"tasks":[1,{"x":2}]}}']
)
def test_what_cannot_be_read_or_names_no_task_passes(message: bytes) -> None:
    assert seal_tasks(message, ALICE, nobody) == message
