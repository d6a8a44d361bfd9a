"""MCP beyond one message: tools and their pins, who may call them, and what belongs to whom.

Pure. Bytes are looked at where they lie (`spans.py`), and changed only by cutting or replacing a part.

    tools/list ─▶ listing.tools_in ─▶ book.take ─▶ PinChange.record, findings_of
                └▶ listing.without (what the principal may not call)
    tools/call ─▶ book.verdict, book.lookup ─▶ policy ─▶ denials.denied
    server asks ─▶ asked.asked_by_server ─▶ policy ─▶ asked.without_asked, asked.refusal
    requestState, sessions, tasks ─▶ seals, tasks, task_answers: bound to the principal they were given to
"""

from gateway.tools.asked import Asked, asked_by_server, refusal, without_asked
from gateway.tools.book import Known, ToolBook, verdict_for
from gateway.tools.denials import denied
from gateway.tools.findings import findings_of
from gateway.tools.hidden import hidden_in, hidden_kinds, shown
from gateway.tools.listing import ListedTool, has_tools, tools_in, without
from gateway.tools.pins import PinChange, accepted, judge
from gateway.tools.seals import Fault, Seal, bind_session, open_states, seal_states, unbind_session
from gateway.tools.task_answers import answered_tasks, seal_tasks
from gateway.tools.tasks import OpenedRequest, OwnTasks, open_tasks, task_of

__all__ = [
    "Asked",
    "Fault",
    "Known",
    "ListedTool",
    "OpenedRequest",
    "OwnTasks",
    "PinChange",
    "Seal",
    "ToolBook",
    "accepted",
    "answered_tasks",
    "asked_by_server",
    "bind_session",
    "denied",
    "findings_of",
    "has_tools",
    "hidden_in",
    "hidden_kinds",
    "judge",
    "open_states",
    "open_tasks",
    "refusal",
    "seal_states",
    "seal_tasks",
    "shown",
    "task_of",
    "tools_in",
    "unbind_session",
    "verdict_for",
    "without",
    "without_asked",
]
