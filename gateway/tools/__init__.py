"""MCP beyond one message: tools and their pins, who may call them, and what belongs to whom.

Pure. Bytes are looked at where they lie (`spans.py`), and changed only by cutting or replacing a part.

    tools/list ─▶ listing.tools_in ─▶ book.take ─▶ PinChange.record, findings_of
                └▶ listing.without (what the principal may not call)
    tools/call ─▶ book.verdict, book.lookup ─▶ policy ─▶ denials.denied
    server asks ─▶ asked.asked_by_server ─▶ policy ─▶ asked.refusal, asked.without
    opaque state, sessions, tasks ─▶ seals, tasks (bound to the principal they were given to)
"""

from gateway.tools.book import Known, ToolBook, verdict_for
from gateway.tools.denials import denied
from gateway.tools.findings import findings_of
from gateway.tools.hidden import hidden_in, hidden_kinds, shown
from gateway.tools.listing import ListedTool, has_tools, tools_in, without
from gateway.tools.pins import PinChange, accepted, judge

__all__ = [
    "Known",
    "ListedTool",
    "PinChange",
    "ToolBook",
    "accepted",
    "denied",
    "findings_of",
    "has_tools",
    "hidden_in",
    "hidden_kinds",
    "judge",
    "shown",
    "tools_in",
    "verdict_for",
    "without",
]
