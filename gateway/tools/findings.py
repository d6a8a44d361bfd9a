"""Findings that a listing raises, in the form of schema `finding`."""

from uuid import UUID, uuid5

from gateway.tools.hidden import Hidden, hidden_in, shown
from gateway.tools.listing import ListedTool
from gateway.tools.pins import Hide, PinChange
from schemas.findings import FindingRecord, finding_record

TOOL_CHANGED = "tool-changed"
TOOL_HIDDEN_TEXT = "tool-hidden-text"
NAMESPACE = UUID("0c1b8a5e-54c5-5b3a-8a0e-3f4e9d3a7c21")
FINDINGS_MAX = 10  # of one tool until it is accepted: a server that never lists the same twice floods nobody
_EVIDENCE_MAX = 20
_SHOWN_MAX = 4_000


def findings_of(change: PinChange, raised_at: int, hide: Hide = str) -> list[FindingRecord]:
    """What a person should look at; [] for nothing. The ids come from connection, tool and digest.

    `raised_at` is Unix µs; `hide` masks the texts that stand in the evidence.
    """
    if change.pin.changes > FINDINGS_MAX or change.kind == "settled":
        return []
    found = [_changed(change, raised_at)] if change.kind == "changed" else []
    hidden = hidden_in(change.listed.name, change.listed.parts)
    return [*found, *([_hidden(change, raised_at, hidden, hide)] if hidden else [])]


def finding_id(rule: str, connection: str, listed: ListedTool) -> str:
    """One and the same wherever the same tool of the same connection is seen with the same digest."""
    return str(uuid5(NAMESPACE, f"{rule}|{connection}|{listed.digest}|{listed.name}"))


def _changed(change: PinChange, raised_at: int) -> FindingRecord:
    pin = change.pin
    evidence = [
        f"differs: {', '.join(pin.changed)}",
        f"pinned digest: {pin.digest}",
        f"listed digest: {pin.seen_digest}",
        f"pinned: {shown(pin.definition, _SHOWN_MAX)}",
        f"listed: {shown(pin.seen_definition, _SHOWN_MAX)}",
    ]
    return _finding(TOOL_CHANGED, change, raised_at, "is listed otherwise than it was pinned", evidence)


def _hidden(change: PinChange, raised_at: int, hidden: tuple[Hidden, ...], hide: Hide) -> FindingRecord:
    evidence = [f"{each.kind} in {each.path}: {hide(each.shown)}" for each in hidden[:_EVIDENCE_MAX]]
    return _finding(TOOL_HIDDEN_TEXT, change, raised_at, "has text that a person does not see", evidence)


def _finding(rule: str, change: PinChange, raised_at: int, what: str, evidence: list[str]) -> FindingRecord:
    record = finding_record(
        rule,
        "high",
        f"{shown(change.tool, 80)} of {change.connection} {what}",
        [f"connection: {change.connection}", f"tool: {shown(change.tool)}", *evidence],
        raised_at=raised_at,
        attributes={"connection": change.connection, "tool": shown(change.tool)},
    )
    return {**record, "finding_id": finding_id(rule, change.connection, change.listed)}
