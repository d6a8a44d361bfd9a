"""Calls behind tasks are kept within bounds, run once at most, and end with their answer or with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.waiting import HeldTask, HeldTasks, OpenedTask, answer_in
from gateway.waiting.held_tasks import final
from tests.gateway.waiting.shapes import ANN, BOB, body, held, request

ANSWER = b'{"jsonrpc":"2.0","id":7,"result":{"content":[]}}'


class Clock:
    """A time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def task(name: str, until: int = 1900) -> OpenedTask:
    """A task of ours."""
    return OpenedTask(f"sgt1.{name}", name, 1000, until)


def found(store: HeldTasks, name: str) -> HeldTask:
    """What is kept of it."""
    kept = store.find(name)
    assert kept is not None
    return kept


def test_a_call_is_taken_once_and_its_answer_kept() -> None:
    clock = Clock()
    store = HeldTasks(clock=clock)
    asked = request(body())
    assert store.put(task("a"), held(), asked)
    assert (found(store, "a").state, found(store, "a").updated) == ("waiting", 1000)
    clock.now = 1100
    assert store.take("a") is asked
    assert store.take("a") is None
    assert (found(store, "a").state, found(store, "a").updated, found(store, "a").request) == (
        "running",
        1100,
        None,
    )
    clock.now = 1200
    store.answered("a", ANSWER)
    assert (found(store, "a").state, found(store, "a").updated) == ("answered", 1200)
    assert found(store, "a").answer == ANSWER
    assert store.take("a") is None


def test_what_is_not_here_cannot_be_taken_and_nothing_comes_of_it() -> None:
    store = HeldTasks()
    store.answered("a", ANSWER)
    store.cancel("a")
    store.drop("a")
    assert (store.find("a"), store.take("a")) == (None, None)


def test_a_cancelled_call_does_not_run_and_an_answer_that_comes_later_is_not_kept() -> None:
    store = HeldTasks(clock=Clock())
    for name in ("a", "b"):
        store.put(task(name), held(), request(body()))
    store.cancel("a")
    assert store.take("a") is None
    assert found(store, "a").request is None
    store.take("b")
    store.cancel("b")
    store.answered("b", ANSWER)
    assert (found(store, "b").state, found(store, "b").answer) == ("cancelled", b"")


def test_what_has_been_answered_stays_answered() -> None:
    store = HeldTasks(clock=Clock())
    store.put(task("a"), held(), request(body()))
    store.take("a")
    store.answered("a", ANSWER)
    store.cancel("a")
    store.answered("a", b"{}")
    assert (found(store, "a").state, found(store, "a").answer) == ("answered", ANSWER)


def test_an_answer_counts_only_for_a_call_that_was_taken() -> None:
    store = HeldTasks(clock=Clock())
    store.put(task("a"), held(), request(body()))
    store.answered("a", ANSWER)
    assert (found(store, "a").state, found(store, "a").answer) == ("waiting", b"")


def test_a_call_is_forgotten_when_its_task_has_ended() -> None:
    clock = Clock()
    store = HeldTasks(bytes_max=600, clock=clock)
    assert store.put(task("a"), held(), request(b"x" * 400))
    assert not store.put(task("b"), held(), request(b"x" * 400))
    clock.now = 1901
    assert (store.find("a"), store.take("a"), store.of(ANN, "disks")) == (None, None, [])
    assert store.put(task("b", 2900), held(), request(b"x" * 400))
    assert store.find("b") is not None


def test_one_principal_does_not_take_the_room_of_the_others() -> None:
    store = HeldTasks(by_principal_max=2, clock=Clock())
    assert store.put(task("a"), held(), request(body()))
    assert store.put(task("b"), held(), request(body()))
    assert not store.put(task("c"), held(), request(body()))
    assert store.put(task("d"), held(BOB), request(body()))
    assert store.put(task("e"), held(ANN, "tapes"), request(body()))
    assert [each.task.approval_id for each in store.of(ANN, "disks")] == ["a", "b"]
    assert [each.task.approval_id for each in store.of(BOB, "disks")] == ["d"]


def test_the_same_call_once_more_takes_no_more_room() -> None:
    store = HeldTasks(by_principal_max=1, clock=Clock())
    assert store.put(task("a"), held(), request(body()))
    assert store.put(task("a", 2000), held(), request(body()))
    assert found(store, "a").task.until == 2000


def test_a_call_that_runs_is_not_replaced_by_the_same_call_once_more() -> None:
    store = HeldTasks(clock=Clock())
    store.put(task("a"), held(), request(body()))
    store.take("a")
    assert not store.put(task("a", 2000), held(), request(body()))
    assert found(store, "a").state == "running"


def test_a_result_that_is_too_large_to_keep_says_so() -> None:
    store = HeldTasks(bytes_max=2000, clock=Clock())
    store.put(task("a"), held(), request(body()))
    store.take("a")
    store.answered("a", json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"x": "y" * 2000}}).encode())
    said = json.loads(found(store, "a").answer)
    assert said["id"] == 7
    assert said["error"]["message"].startswith("executed, but its result is larger")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "take", "answered", "cancel", "drop", "pass"]), st.sampled_from("abc")
        )
    )
)
def test_whatever_happens_no_call_is_taken_twice_and_the_bounds_hold(steps: list[tuple[str, str]]) -> None:
    clock = Clock()
    store = HeldTasks(bytes_max=1500, by_principal_max=2, clock=clock)
    taken: dict[int, int] = {}
    calls = []
    for step, name in steps:
        if step == "put":
            calls.append(request(body(n=len(calls))))
            store.put(task(name, int(clock.now) + 50), held(), calls[-1])
        elif step == "take":
            call = store.take(name)
            if call is not None:
                taken[id(call)] = taken.get(id(call), 0) + 1
        elif step == "answered":
            store.answered(name, ANSWER)
        elif step == "pass":
            clock.now += 20
        else:
            getattr(store, step)(name)
        kept = store.of(ANN, "disks")
        assert len(kept) <= 2
        assert sum(each.size for each in kept) <= 1500
    assert all(times == 1 for times in taken.values())


# -- what ends a task


def test_the_answer_is_found_in_upstreams_stream() -> None:
    assert answer_in(b"event: message\ndata: " + ANSWER + b"\n\n") == ANSWER
    error = b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}'
    assert answer_in(b"id: 4\r\ndata: " + error + b"\r\n\r\n") == error
    for other in (
        b'{"jsonrpc":"2.0","method":"notifications/progress"}',
        b'{"id":1,"method":"ping"}',
        b"",
        b"x",
    ):
        assert answer_in(b"data: " + other + b"\n\n") is None
    assert answer_in(b": ping\n\n") is None


@pytest.mark.parametrize(
    "said",
    [
        {"result": {"content": [], "isError": True}},
        {"result": {"resultType": "complete", "content": []}},
        {"error": {"code": -32602, "message": "x"}},
    ],
)
def test_an_answer_ends_the_task_as_it_is(said: dict[str, Any]) -> None:
    data = json.dumps({"jsonrpc": "2.0", "id": 7, **said}).encode()
    assert final(data) is data


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"resultType": "input_required", "requestState": "x"}, "asks for input"),
        ({"resultType": "task", "taskId": "x"}, "a task of its own"),
        ({"task": {"taskId": "x"}}, "a task of its own"),
    ],
)
def test_what_a_task_cannot_carry_becomes_an_error_that_says_so(result: dict[str, Any], why: str) -> None:
    said = json.loads(final(json.dumps({"jsonrpc": "2.0", "id": 7, "result": result}).encode()))
    assert why in said["error"]["message"]
    assert (said["id"], said["error"]["data"]) == (7, {"reason": "task_without_result"})


@pytest.mark.parametrize(
    "odd", [b"", b"<html>", b"[]", b"{}", b"1", b"\xff", b'{"result":1}', b"[" * 100_000]
)
def test_what_is_no_answer_becomes_an_error_too(odd: bytes) -> None:
    assert json.loads(final(odd))["error"]["message"].startswith("upstream gave no JSON-RPC answer")
