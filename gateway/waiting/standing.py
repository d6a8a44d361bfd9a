"""How a task of ours stands, by what holds of its approval and what this process has of its call.

nobody has decided ─▶ working        approved, the call is here ─▶ run ─▶ completed, failed
denied, expired ─▶ failed (from 2026-07-28 on completed, with a tool's error)        withdrawn ─▶ cancelled
"""

from typing import Literal, NamedTuple

from gateway.frames.jsonrpc import Look, error_body, look
from gateway.frames.modern import is_modern
from gateway.held import Approval
from gateway.tools.denials import CODE
from gateway.waiting import answers, words
from gateway.waiting.held_tasks import HeldTask
from gateway.waiting.seals import OpenedTask

Status = Literal["working", "completed", "failed", "cancelled"]
Step = Literal["tell", "wait", "run"]
_RUNNING = frozenset({"tasks/get", "tasks/result"})  # asking in one of these ways makes an approved call run


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
