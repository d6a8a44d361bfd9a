"""A held call as a task: its client gets a handle at once, asks how it stands, and gets the answer at the end.

    2025-11-25   tools/call with `task` ─▶ CreateTaskResult; tasks/get, tasks/result (waits), tasks/cancel, tasks/list
    2026-07-28   tools/call by who declares the extension ─▶ resultType "task"; tasks/get holds the result too

The call runs when its client asks about it and the approval is there: who never asks again is not executed for.
Source: Model Context Protocol 2025-11-25, "Tasks"; the tasks extension (SEP-2663).
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.frames.jsonrpc import Look, error_body
from gateway.frames.modern import is_modern
from gateway.tools import spans
from gateway.tools.denials import CODE
from gateway.tools.splices import Edit, spliced
from gateway.tools.tasks import RELATED
from gateway.waiting import answers
from gateway.waiting.asked import TASKS_EXTENSION, declared, params_of
from gateway.waiting.seals import OpenedTask
from gateway.waiting.standing import Standing

POLL_SECONDS = 5
INVALID_PARAMS = -32602
MISSING_CAPABILITY = -32021
_JSON = (b"content-type", b"application/json")


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
    """What a `tasks/result` of 2025-11-25 gets: the call's own answer, and whose it is; an error where the task has
    not ended and its client is not kept waiting any longer."""
    if not now.answer:
        return _told(error_body(asked.id, CODE, f"{now.text} Ask again.", reason="approval_pending"))
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
