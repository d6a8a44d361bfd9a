"""A held call as a task: its client gets a handle at once, asks how it stands, and gets the answer at the end.

    2025-11-25   tools/call with `task` ─▶ CreateTaskResult; tasks/get, tasks/result (waits), tasks/cancel, tasks/list
    2026-07-28   tools/call by who declares the extension ─▶ resultType "task"; tasks/get holds the result too

The call runs when its client asks about it and the approval is there: who never asks again is not executed for.
Source: Model Context Protocol 2025-11-25, "Tasks"; the tasks extension (SEP-2663).
"""

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec

from gateway.frames.jsonrpc import Look, error_body, look
from gateway.frames.modern import is_modern
from gateway.held import Approval
from gateway.tools import spans
from gateway.tools.denials import CODE
from gateway.tools.splices import Edit, cut, spliced
from gateway.tools.tasks import RELATED
from gateway.waiting import answers, words
from gateway.waiting.asked import CAPABILITIES, TASKS_EXTENSION, declared, params_of
from gateway.waiting.held_tasks import HeldTask
from gateway.waiting.seals import OpenedTask, without_params

Status = Literal["working", "completed", "failed", "cancelled"]
Step = Literal["tell", "wait", "run"]
POLL_SECONDS = 5
INVALID_PARAMS = -32602
MISSING_CAPABILITY = -32021
_RUNNING = frozenset({"tasks/get", "tasks/result"})  # asking in one of these ways makes an approved call run
_JSON = (b"content-type", b"application/json")


class Standing(NamedTuple):
    """How a task stands. `step`: run it now, wait (a `tasks/result` of one that has not ended), or tell it as it is.

    `answer`: the JSON-RPC message that ends it, b'' until then; its id is of no meaning.
    """

    step: Step
    status: Status
    text: str
    answer: bytes = b""
    updated: int = 0


def standing(
    asked: Look,
    task: OpenedTask,
    approval: Approval | None,
    kept: HeldTask | None,
    reason: str = "",
    *,
    version: str = "",
) -> Standing:
    """How `task` stands for the request `asked` about it. `approval`: None where this replica has not heard of it
    yet; `kept`: what this process has of the call; `reason`: the rule's words."""
    updated = kept.updated if kept else task.created
    if kept and kept.state != "waiting":
        return _taken(asked, kept, version)
    if approval is None or approval.state == "pending":
        text = words.waiting_text(approval or Approval(task.approval_id, "pending"), reason)
        return Standing(_idle(asked), "working", text, updated=updated)
    if approval.state == "revoked":
        return _cancelled(words.denied_text(approval, reason), updated)
    if approval.state == "approved" and kept:
        step: Step = "run" if asked.method in _RUNNING else "tell"
        return Standing(step, "working", "Approved: it runs when its result is asked for.", updated=updated)
    return _in_vain(asked, approval, reason, version, updated)


def created(
    asked: Look, task: OpenedTask, text: str, *, version: str = "", poll_seconds: int = POLL_SECONDS
) -> answers.Told:
    """The handle that answers the call. `text`: what may be shown to a person or the model."""
    now = Standing("tell", "working", text, updated=task.created)
    if is_modern(asked.meta_version or version):
        return _told(answers.result(asked, _modern(task, now, poll_seconds), version, "task"))
    meta = {"io.modelcontextprotocol/model-immediate-response": text}
    return _told(answers.result(asked, {"task": _classic(task, now, poll_seconds), "_meta": meta}, version))


def state(
    asked: Look, task: OpenedTask, now: Standing, *, version: str = "", poll_seconds: int = POLL_SECONDS
) -> answers.Told:
    """What a `tasks/get` gets."""
    if not is_modern(asked.meta_version or version):
        return _told(answers.result(asked, _classic(task, now, poll_seconds), version))
    said = _modern(task, now, poll_seconds)
    ended = _members(now.answer)
    if now.status == "completed":
        said["result"] = ended["result"]
    elif now.status == "failed":
        said["error"] = ended["error"]
    return _told(answers.result(asked, said, version))


def outcome(asked: Look, task: OpenedTask, now: Standing) -> answers.Told:
    """What a `tasks/result` of 2025-11-25 gets when the task has ended: the call's own answer, and whose it is."""
    ended = _members(now.answer)
    if "error" in ended:
        return _told(b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (asked.id.encode(), bytes(ended["error"])))
    members: dict[str, Any] = msgspec.json.decode(ended["result"], type=dict[str, msgspec.Raw])
    meta = msgspec.json.decode(members.get("_meta", b"{}"))
    members["_meta"] = {**(meta if isinstance(meta, dict) else {}), RELATED: {"taskId": task.task_id}}
    return _told(b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (asked.id.encode(), msgspec.json.encode(members)))


def cancelled(asked: Look, task: OpenedTask, before: Standing, *, version: str = "") -> answers.Told:
    """What a `tasks/cancel` gets. `before`: how it stood; one that has ended cannot be cancelled any more."""
    if is_modern(asked.meta_version or version):
        return _told(answers.result(asked, {}, version))
    if before.status != "working":
        return _told(error_body(asked.id, INVALID_PARAMS, f"the task has ended: {before.status}"))
    now = Standing("tell", "cancelled", "Cancelled by its client.", updated=before.updated)
    return _told(answers.result(asked, _classic(task, now, POLL_SECONDS), version))


def told(
    asked: Look, task: OpenedTask, now: Standing, *, version: str = "", poll_seconds: int = POLL_SECONDS
) -> answers.Told | None:
    """The answer to any request about a task of ours whose step is to tell; None: its revision has no such method.

    A `tasks/update` is taken as it is: tasks of ours ask for nothing, so that there is nothing to update.
    """
    modern = is_modern(asked.meta_version or version)
    if asked.method == "tasks/get":
        return state(asked, task, now, version=version, poll_seconds=poll_seconds)
    if asked.method == "tasks/cancel":
        return cancelled(asked, task, now, version=version)
    if asked.method == "tasks/result" and not modern:
        return outcome(asked, task, now)
    if asked.method == "tasks/update" and modern:
        return _told(answers.result(asked, {}, version))
    return None


def unknown(asked: Look) -> answers.Told:
    """What a request about a task of somebody else's gets, or about one that is no longer."""
    return _told(error_body(asked.id, INVALID_PARAMS, "no such task, or it has ended"))


def undeclared(asked: Look, body: bytes, version: str = "") -> answers.Told | None:
    """The refusal of a request about a task by who has not declared the extension, from 2026-07-28 on."""
    if not is_modern(asked.meta_version or version) or declared(body, "extensions", TASKS_EXTENSION):
        return None
    needed: dict[str, Any] = {"extensions": {TASKS_EXTENSION: {}}}
    text = "the tasks extension was not declared"
    return 400, [_JSON], error_body(asked.id, MISSING_CAPABILITY, text, requiredCapabilities=needed)


def untasked(body: bytes) -> bytes:
    """The call as it is to run: our task stands for it, so upstream is not asked for another one."""
    body = without_params(body, "task")
    path = ("params", "_meta", CAPABILITIES, "extensions")
    edits: list[Edit] = []
    for place in spans.at_path(body, spans.whole(body), *path):
        members = list(spans.members(body, place))
        items = [spans.Span(member.key_start, member.value.end) for member in members]
        out = [index for index, member in enumerate(members) if member.key == TASKS_EXTENSION]
        edits += cut(items, out) if out else []
    return spliced(body, edits)


def listed(asked_body: bytes, answer: bytes, kept: list[tuple[OpenedTask, Standing]]) -> bytes:
    """Upstream's answer to `tasks/list` (2025-11-25), with tasks of ours first on the first page."""
    if not kept or "cursor" in params_of(asked_body):
        return answer
    ours = b",".join(msgspec.json.encode(_classic(task, now, POLL_SECONDS)) for task, now in kept)
    try:
        places = spans.at_path(answer, spans.whole(answer), "result", "tasks")
        empty = [not list(spans.elements(answer, place)) for place in places]
    except spans.UnreadableError:
        return answer
    edits = [
        Edit(place.start + 1, place.start + 1, ours if bare else ours + b",")
        for place, bare in zip(places, empty, strict=True)
        if answer[place.start : place.start + 1] == b"["
    ]
    return spliced(answer, edits)


# -- how it stands


def _idle(asked: Look) -> Step:
    return "wait" if asked.method == "tasks/result" else "tell"


def _taken(asked: Look, kept: HeldTask, version: str) -> Standing:
    """This process runs it, or has run it, or was told not to."""
    if kept.state == "answered":
        return Standing("tell", _ended(kept.answer, asked, version), "", kept.answer, kept.updated)
    if kept.state == "cancelled":
        return _cancelled("Cancelled by its client.", kept.updated)
    return Standing(_idle(asked), "working", "Approved: it runs now.", updated=kept.updated)


def _ended(answer: bytes, asked: Look, version: str) -> Status:
    """In 2025-11-25 a tool's error is a failure; from 2026-07-28 on only a JSON-RPC error is."""
    said = look(answer)
    if said.kind == "error":
        return "failed"
    return "failed" if said.is_error and not is_modern(asked.meta_version or version) else "completed"


def _cancelled(text: str, updated: int) -> Standing:
    return Standing("tell", "cancelled", text, error_body("", CODE, text, reason="task_cancelled"), updated)


def _in_vain(asked: Look, approval: Approval, reason: str, version: str, updated: int) -> Standing:
    """Denied, expired, used; or approved where nobody has the call any more."""
    if approval.state == "approved":
        text = "Approved, but this process has not got the call: repeat the same call; it finds its approval."
        answer = error_body("", CODE, text, **words.data(approval))
    elif approval.state == "used":
        text = "It has run, or its approval was used by the same call; its result is not kept here."
        answer = error_body("", CODE, text, **words.data(approval))
    else:
        call = Look(kind="request", id="0", method="tools/call", meta_version=asked.meta_version)
        text = words.denied_text(approval, reason)
        answer = answers.denied_answer(call, approval, reason, version=version)[2]
    return Standing("tell", _ended(answer, asked, version), text, answer, updated)


# -- the two forms


def _classic(task: OpenedTask, now: Standing, poll_seconds: int) -> dict[str, Any]:
    times = {"ttl": (task.until - task.created) * 1000, "pollInterval": poll_seconds * 1000}
    return {**_common(task, now), **times}


def _modern(task: OpenedTask, now: Standing, poll_seconds: int) -> dict[str, Any]:
    times = {"ttlMs": (task.until - task.created) * 1000, "pollIntervalMs": poll_seconds * 1000}
    return {**_common(task, now), **times}


def _common(task: OpenedTask, now: Standing) -> dict[str, Any]:
    said = {
        "taskId": task.task_id,
        "status": now.status,
        "createdAt": _iso(task.created),
        "lastUpdatedAt": _iso(now.updated or task.created),
    }
    return {**said, "statusMessage": now.text} if now.text else said


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _members(answer: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(answer, type=dict[str, msgspec.Raw]) if answer else {}


def _told(body: bytes) -> answers.Told:
    return 200, [_JSON], body
