"""A session as a report to hand over: what it was, its calls in order, what was masked, denied and found. PDF.

The fonts that every reader of PDF has know Western letters alone; any other character stands as its code point, so
that nothing is lost and nothing can be drawn over something else.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF

from sinks.readers import Exchange, Finding, Session

CALLS_MAX = 500
_FONT = "Helvetica"
_WIDTHS = (30, 14, 78, 26, 22, 20)
_HEADS = ("began (UTC)", "ms", "what", "verdict", "outcome", "masked")
_CHARACTERS_MAX = 400


class _Report(FPDF):  # type: ignore[misc]  # fpdf2 has no types
    """A4 with page numbers. `about`: what each page is of."""

    def __init__(self, about: str) -> None:
        super().__init__(format="A4")
        self._about = about
        self.set_auto_page_break(auto=True, margin=15)
        self.set_creator("Sluicegate")
        self.add_page()

    def footer(self) -> None:
        """On every page."""
        self.set_y(-12)
        self.set_font(_FONT, size=7)
        self.cell(0, 5, f"{self._about} - page {self.page_no()} of {{nb}}", align="C")

    def heading(self, text: str, size: int = 12) -> None:
        """A line that begins a part."""
        self.set_font(_FONT, "B", size)
        self.multi_cell(0, size / 2 + 2, shown(text), new_x="LMARGIN", new_y="NEXT")
        self.set_font(_FONT, size=8)


def report(
    session: Session, exchanges: Sequence[Exchange], findings: Sequence[Finding], link: str = ""
) -> bytes:
    """The file. Of long sessions the first `CALLS_MAX` calls, and it says so. `link`: where it is replayed."""
    made = _Report(f"session {session['session_id']}")
    made.set_title(f"Session {session['session_id']}")
    made.heading("Session report", 16)
    _facts(made, _of_session(session) | ({"replay": link} if link else {}))
    made.heading("Findings" if findings else "Findings: none")
    for finding in findings:
        _facts(made, {finding["severity"]: f"{finding['title']} ({finding['rule']}, {finding['state']})"})
    tally = Counter(exchange["verdict"] for exchange in exchanges)
    made.heading(
        f"Calls: {len(exchanges)} ({', '.join(f'{count} {name}' for name, count in sorted(tally.items()))})"
    )
    if len(exchanges) > CALLS_MAX:
        made.multi_cell(0, 4, f"The first {CALLS_MAX} follow.", new_x="LMARGIN", new_y="NEXT")
    _table(made, exchanges[:CALLS_MAX])
    return bytes(made.output())


def _of_session(session: Session) -> dict[str, Any]:
    masked, denied = session["redactions"], session["denied"]
    return {
        "session": session["session_id"],
        "caller": f"{session['principal'] or 'unknown'} ({session['principal_issuer'] or 'no issuer'})",
        "client": session["user_agent"],
        "connection": f"{session['connection']} ({session['protocol']})",
        "from": session["started_at"],
        "to": session["last_at"],
        "exchanges": f"{session['exchanges']}, of them {denied} denied or held, {session['errors']} failed",
        "secrets masked": masked,
        "bytes": f"{session['request_bytes']} asked, {session['response_bytes']} answered",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _facts(made: _Report, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        made.set_font(_FONT, "B", 8)
        made.cell(32, 5, shown(name))
        made.set_font(_FONT, size=8)
        made.multi_cell(0, 5, shown(value), new_x="LMARGIN", new_y="NEXT")


def _table(made: _Report, exchanges: Sequence[Exchange]) -> None:
    made.set_font(_FONT, size=6.5)
    with made.table(
        col_widths=_WIDTHS, line_height=3.6, text_align="LEFT", first_row_as_headings=True
    ) as table:
        table.row(_HEADS)
        for exchange in exchanges:
            table.row([shown(cell) for cell in _cells(exchange)])


def _cells(exchange: Exchange) -> tuple[Any, ...]:
    verdict = f"{exchange['verdict']} {exchange['rule']}".strip()
    outcome = "tool error" if exchange["tool_is_error"] else exchange["outcome"]
    began = exchange["started_at"][:23].replace("T", " ")
    return (
        began,
        round(exchange["latency_ms"], 1),
        _what(exchange),
        verdict,
        outcome,
        exchange["redactions"] or "",
    )


def _what(exchange: Exchange) -> str:
    attributes = exchange["attributes"]
    if attributes.get("k8s.verb"):
        names = ("k8s.verb", "k8s.objectRef.resource", "k8s.objectRef.namespace", "k8s.objectRef.name")
        return " ".join(attributes[name] for name in names if attributes.get(name))
    named = exchange["tool"] or exchange["resource"]
    return f"{exchange['method']} {named}".strip() or f"{exchange['http_method']} {exchange['http_path']}"


def shown(value: Any) -> str:
    """A text that the font has, on one line: any other character as its code point."""
    text = str(value)
    text = text if len(text) <= _CHARACTERS_MAX else text[:_CHARACTERS_MAX] + "..."
    return "".join(
        each if " " <= each <= "~" or "\xa1" <= each <= "\xff" else f"\\u{ord(each):04x}" for each in text
    )
