"""How a client is kept waiting while a person decides on its call, and how it is told the end. Pure.

    manner ─┬▶ stream   keep_alive, progress … wrapped(answer)
            ├▶ elicit   elicitation ─▶ the client comes back: opened_state, StateSeal.open ─▶ stream or poll
            ├▶ task     TaskSeal.make, HeldTasks.put, tasks.created ─▶ it asks: standing ─▶ run, tell, wait
            └▶ poll     pending_answer ─▶ the same call, repeated, finds its approval
    each ends in the call's own answer, or in denied_answer

`caller` reads what the caller says of the call: why it is wanted, or that it cannot wait.
"""

from gateway.waiting import tasks
from gateway.waiting.answers import denied_answer, pending_answer
from gateway.waiting.asked import cancelled_id
from gateway.waiting.caller import OWN_HEADERS, asked_for
from gateway.waiting.cuts import untasked, without_our_tasks, without_state
from gateway.waiting.elicitation import elicitation, page_taken
from gateway.waiting.held_tasks import HeldTask, HeldTasks, answer_in
from gateway.waiting.manner import Manner, manner, reads_stream
from gateway.waiting.seals import OpenedTask, StateSeal, TaskSeal, asked_task, opened_state
from gateway.waiting.standing import Standing, standing
from gateway.waiting.stream import OPENING, keep_alive, patience, progress, wrapped
from gateway.waiting.words import waiting_text

__all__ = [
    "OPENING",
    "OWN_HEADERS",
    "HeldTask",
    "HeldTasks",
    "Manner",
    "OpenedTask",
    "Standing",
    "StateSeal",
    "TaskSeal",
    "answer_in",
    "asked_for",
    "asked_task",
    "cancelled_id",
    "denied_answer",
    "elicitation",
    "keep_alive",
    "manner",
    "opened_state",
    "page_taken",
    "patience",
    "pending_answer",
    "progress",
    "reads_stream",
    "standing",
    "tasks",
    "untasked",
    "waiting_text",
    "without_our_tasks",
    "without_state",
    "wrapped",
]
