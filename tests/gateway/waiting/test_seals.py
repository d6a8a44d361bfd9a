"""States and ids of tasks open for whom they were sealed, for nothing else, and on every replica with the key."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.belonging import Seals
from gateway.refusals import Refused
from gateway.tools.seals import Seal, is_sealed
from gateway.waiting import (
    StateSeal,
    TaskSeal,
    asked_task,
    opened_state,
    untasked,
    without_our_tasks,
    without_state,
)
from gateway.waiting.cuts import without_params
from gateway.waiting.seals import LATE_SECONDS
from tests.gateway.waiting.shapes import ANN, BOB, ID, KEY, body, modern_meta, request

NOW = 1_800_000_000.0
ENDS = 1_800_000_900_000_000  # microseconds
DIGEST = "d" * 64


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def test_a_state_opens_for_the_same_principal_connection_and_call_on_any_replica() -> None:
    state = StateSeal(KEY, lambda: NOW).seal(ID, ANN, "disks", DIGEST, ENDS)
    other = StateSeal(KEY, lambda: NOW)
    assert other.open(state, ANN, "disks", DIGEST) == ID
    assert other.open(state, replace(ANN, credential="another", groups=("x",)), "disks", DIGEST) == ID


def test_a_state_opens_for_nothing_else() -> None:
    seal = StateSeal(KEY, lambda: NOW)
    state = seal.seal(ID, ANN, "disks", DIGEST, ENDS)
    assert seal.open(state, BOB, "disks", DIGEST) is None
    assert seal.open(state, replace(ANN, issuer="https://else"), "disks", DIGEST) is None
    assert seal.open(state, ANN, "tapes", DIGEST) is None
    assert seal.open(state, ANN, "disks", "e" * 64) is None
    assert StateSeal(b"x" * 32, lambda: NOW).open(state, ANN, "disks", DIGEST) is None


@given(st.data())
def test_no_changed_state_opens(data: Any) -> None:
    seal = StateSeal(KEY, lambda: NOW)
    state = seal.seal(ID, ANN, "disks", DIGEST, ENDS)
    at = data.draw(st.integers(0, len(state) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = state[:at] + other + state[at + 1 :]
    assert seal.open(changed, ANN, "disks", DIGEST) == (ID if changed == state else None)


def test_a_state_outlives_its_approval_so_that_who_comes_late_learns_the_end() -> None:
    clock = Clock()
    seal = StateSeal(KEY, clock)
    state = seal.seal(ID, ANN, "disks", DIGEST, ENDS)
    clock.now = ENDS / 1e6 + LATE_SECONDS
    assert seal.open(state, ANN, "disks", DIGEST) == ID
    clock.now += 1
    assert seal.open(state, ANN, "disks", DIGEST) is None


def test_a_task_opens_for_whom_it_was_made_until_it_ends() -> None:
    clock = Clock()
    seal = TaskSeal(KEY, clock)
    task = seal.make(ID, ANN, "disks", 900)
    assert (task.approval_id, task.created, task.until) == (ID, int(NOW), int(NOW) + 900)
    assert TaskSeal(KEY, clock).open(task.task_id, ANN, "disks") == task
    assert seal.open(task.task_id, BOB, "disks") is None
    assert seal.open(task.task_id, ANN, "tapes") is None
    assert TaskSeal(b"x" * 32, clock).open(task.task_id, ANN, "disks") is None
    longer = task.task_id.replace(str(task.until), str(task.until + 1))
    assert seal.open(longer, ANN, "disks") is None
    clock.now += 901
    assert seal.open(task.task_id, ANN, "disks") is None


def test_a_state_is_no_task_and_a_task_is_no_state() -> None:
    states, tasks = StateSeal(KEY, lambda: NOW), TaskSeal(KEY, lambda: NOW)
    state, task = states.seal(ID, ANN, "disks", DIGEST, ENDS), tasks.make(ID, ANN, "disks", 9).task_id
    assert states.open(task, ANN, "disks", DIGEST) is None
    assert tasks.open(state, ANN, "disks") is None


@pytest.mark.parametrize("odd", ["", "a.b", "x" * 65, "ü", "a~b", "a b"])
def test_what_is_no_id_is_not_sealed(odd: str) -> None:
    with pytest.raises(ValueError, match="no approval's id"):
        StateSeal(KEY).seal(odd, ANN, "disks", DIGEST, ENDS)
    with pytest.raises(ValueError, match="no approval's id"):
        TaskSeal(KEY).make(odd, ANN, "disks", 9)


# -- beside what upstream gave


def sealed_here() -> tuple[str, str]:
    """A state and a task of ours."""
    return StateSeal(KEY).seal(ID, ANN, "disks", DIGEST, ENDS), TaskSeal(KEY).make(
        ID, ANN, "disks", 9
    ).task_id


def test_what_is_ours_is_known_before_it_could_be_taken_for_upstreams() -> None:
    state, task = sealed_here()
    assert opened_state(body(requestState=state)) == state
    assert asked_task(body("tasks/get", taskId=task)) == task
    assert asked_task(body("tools/call", taskId=task)) is None
    assert not is_sealed(state)
    assert not is_sealed(task)


def test_what_is_ours_is_known_however_its_characters_are_written() -> None:
    state, task = sealed_here()
    for at in (0, 3, len(state) - 1):
        written = f"{state[:at]}\\u{ord(state[at]):04x}{state[at + 1 :]}"
        assert opened_state(body(requestState="X").replace(b'"X"', f'"{written}"'.encode())) == state
    written = f"\\u0073{task[1:]}"
    assert asked_task(body("tasks/get", taskId="X").replace(b'"X"', f'"{written}"'.encode())) == task


def test_what_upstream_gave_is_never_taken_for_ours_even_where_it_looks_like_it() -> None:
    upstream = Seal(KEY, "disks", ANN.issuer, ANN.subject)
    state, task = sealed_here()
    for text in (state, task, "x", ""):
        assert opened_state(body(requestState=upstream.close(text, "state", 9))) is None
        assert asked_task(body("tasks/get", taskId=upstream.close(text, "task"))) is None


def test_what_is_ours_would_be_refused_where_upstreams_is_opened() -> None:
    """So that a place where nobody looks for ours first fails closed."""
    state, task = sealed_here()
    seals = Seals(KEY, "disks")
    refused = seals.opened(request(body(requestState=state)), ANN)
    assert isinstance(refused, Refused)
    assert refused.reason_code == "request_state_invalid"
    refused = seals.opened(request(body("tasks/get", taskId=task)), ANN)
    assert isinstance(refused, Refused)
    assert refused.reason_code == "task_not_yours"


@pytest.mark.parametrize(
    "odd", [None, 1, {}, [], "sgw1.", f"sgw1.{ID}.1.AAAAAAAAAAAAAAAAAAAAAA~", "sgw1.\u0665"]
)
def test_what_has_not_the_form_of_ours_is_none(odd: Any) -> None:
    assert opened_state(body(requestState=odd)) is None
    assert asked_task(body("tasks/get", taskId=odd)) is None


@pytest.mark.parametrize("odd", [b"", b"[]", b"{", b'{"params":[]}', b"\xff", b"[" * 10_000])
def test_what_is_no_request_has_neither(odd: bytes) -> None:
    assert opened_state(odd + b"requestState") is None
    assert asked_task(odd + b"sgt1.") is None
    assert opened_state(odd) is None


# -- the call as it goes on


def test_a_call_that_comes_back_goes_on_as_it_was_before() -> None:
    state, _ = sealed_here()
    before = body(meta=modern_meta(elicitation={"url": {}}))
    after = json.loads(before)
    after["params"] |= {
        "requestState": state,
        "inputResponses": {"sluicegate_approval": {"action": "accept"}},
    }
    assert json.loads(without_state(json.dumps(after).encode())) == json.loads(before)


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (b'{"params": {"a":1, "b":2 , "c":3} }', b'{"params": {"a":1 , "c":3} }'),
        (b'{"params":{"b":2}}', b'{"params":{}}'),
        (b'{"params":{"b":2,"a":{"b":1}}}', b'{"params":{"a":{"b":1}}}'),
        (b'{"b":1,"params":{"a":1}}', b'{"b":1,"params":{"a":1}}'),
        (b'{"b":1}', b'{"b":1}'),
        (b'{"params":[]}', b'{"params":[]}'),
    ],
)
def test_only_what_is_named_is_cut(given: bytes, left: bytes) -> None:
    assert without_params(given, "b") == left


def test_a_held_task_runs_as_a_call_that_asks_for_none() -> None:
    classic = body(task={"ttl": 1})
    assert untasked(classic) == body()
    assert untasked(body()) == body()
    extensions = {"io.modelcontextprotocol/tasks": {}, "com.example/x": {}}
    modern = json.loads(untasked(body(meta=modern_meta(extensions=extensions, sampling={}))))
    capabilities = modern["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"]
    assert capabilities == {"extensions": {"com.example/x": {}}, "sampling": {}}


def test_nobody_subscribes_to_our_tasks_with_upstream() -> None:
    _, ours = sealed_here()
    listen = body("subscriptions/listen", notifications={"taskIds": ["u1", ours, "u2"]}, taskIds=[ours])
    left = json.loads(without_our_tasks(listen))["params"]
    assert left == {"notifications": {"taskIds": ["u1", "u2"]}, "taskIds": []}
    for other in (body("subscriptions/listen", taskIds=["u1"]), body("tasks/get", taskIds=[ours]), b""):
        assert without_our_tasks(other) == other
