"""The calls behind tasks of ours, kept in this process's memory until they may run, and their answers after that.

    put ─▶ waiting ─take─▶ running ─answered─▶ answered
              └──────cancel──────┴─▶ cancelled

A replica that has not got the call cannot run it: it says so, and the same call, repeated, finds its approval.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from gateway.effects import Request
from gateway.frames import sse
from gateway.frames.jsonrpc import error_body, look
from gateway.held import HeldCall
from gateway.sessions import Principal
from gateway.tools.denials import CODE
from gateway.waiting.seals import OpenedTask

BYTES_MAX = 64 * 1024 * 1024
BY_PRINCIPAL_MAX = 20
HeldState = Literal["waiting", "running", "answered", "cancelled"]


@dataclass(slots=True)
class HeldTask:
    """One call that waits as a task. `request` as it is to run, gone when it has been taken; `answer`: the JSON-RPC
    message that answered it, b'' until then; `updated`: Unix seconds."""

    task: OpenedTask
    held: HeldCall
    request: Request | None
    state: HeldState
    updated: int
    answer: bytes = b""

    @property
    def size(self) -> int:
        """Bytes that count against the bound."""
        request = self.request
        headers = sum(len(name) + len(value) for name, value in request.headers) if request else 0
        return len(self.answer) + (len(request.body) + headers if request else 0) + len(self.held.shown)


class HeldTasks:
    """At most `bytes_max` together and `by_principal_max` of one principal, each until its task has ended."""

    def __init__(
        self,
        bytes_max: int = BYTES_MAX,
        by_principal_max: int = BY_PRINCIPAL_MAX,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bytes_max = bytes_max
        self._by_principal_max = by_principal_max
        self._clock = clock
        self._tasks: dict[str, HeldTask] = {}

    def put(self, task: OpenedTask, held: HeldCall, request: Request) -> bool:
        """Keep a call; False when there is no room, or it runs already: its client has to wait in another way."""
        self._tidy()
        before = self._tasks.pop(task.approval_id, None)
        if before and before.state == "running":
            self._tasks[task.approval_id] = before
            return False
        one = HeldTask(task, held, request, "waiting", task.created)
        mine = len(self.of(held.principal, held.connection))
        fits = mine < self._by_principal_max and self._bytes() + one.size <= self._bytes_max
        kept = one if fits else before
        if kept:
            self._tasks[task.approval_id] = kept
        return fits

    def find(self, approval_id: str) -> HeldTask | None:
        """What is kept of it; None when nothing is, or no longer."""
        found = self._tasks.get(approval_id)
        return found if found and self._clock() <= found.task.until else None

    def take(self, approval_id: str) -> Request | None:
        """The call, to be run now: only once, and not when it was cancelled."""
        found = self.find(approval_id)
        if found is None or found.state != "waiting":
            return None
        request, found.request = found.request, None
        self._becomes(found, "running")
        return request

    def answered(self, approval_id: str, answer: bytes) -> None:
        """It has run: `answer` is the whole JSON-RPC message that its client shall get."""
        found = self._tasks.get(approval_id)
        if found is None or found.state != "running":
            return
        found.answer = final(answer)
        if self._bytes() > self._bytes_max:
            found.answer = _error(answer, "executed, but its result is larger than can be kept for a task")
        self._becomes(found, "answered")

    def cancel(self, approval_id: str) -> None:
        """Nobody wants it any more: it does not run, or its answer is not kept."""
        found = self.find(approval_id)
        if found and found.state in ("waiting", "running"):
            found.request = None
            self._becomes(found, "cancelled")

    def drop(self, approval_id: str) -> None:
        """Forget it."""
        self._tasks.pop(approval_id, None)

    def of(self, principal: Principal, connection: str) -> list[HeldTask]:
        """Those of one principal on one connection, the oldest first."""
        who = (principal.issuer, principal.subject, connection)
        now = self._clock()
        return [
            each
            for each in self._tasks.values()
            if (each.held.principal.issuer, each.held.principal.subject, each.held.connection) == who
            and now <= each.task.until
        ]

    def _becomes(self, one: HeldTask, state: HeldState) -> None:
        one.state, one.updated = state, int(self._clock())

    def _bytes(self) -> int:
        return sum(each.size for each in self._tasks.values())

    def _tidy(self) -> None:
        now = self._clock()
        for approval_id in [key for key, each in self._tasks.items() if now > each.task.until]:
            del self._tasks[approval_id]


def answer_in(block: bytes) -> bytes | None:
    """The JSON-RPC answer in an event of upstream's stream; None for a comment, a notification or a request."""
    data = sse.fields(block).data
    return data if data and look(data).kind in ("response", "error") else None


def final(answer: bytes) -> bytes:
    """An answer as a task can carry it: what is a question, or yet another task, becomes an error."""
    try:
        said = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _error(b"", "upstream gave no JSON-RPC answer; it may have executed the request")
    result = said.get("result") if isinstance(said, dict) else None
    if isinstance(result, dict):
        if result.get("resultType") == "input_required":
            return _error(answer, "upstream asks for input, which a call held as a task cannot give")
        if result.get("resultType") == "task" or isinstance(result.get("task"), dict):
            return _error(
                answer, "upstream made a task of its own, which a call held as a task cannot follow"
            )
        return answer
    return answer if look(answer).kind == "error" else _error(b"", "upstream gave no JSON-RPC answer")


def _error(answer: bytes, text: str) -> bytes:
    return error_body(look(answer).id if answer else "", CODE, text, reason="task_without_result")
