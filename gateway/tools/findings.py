"""Findings that a listing raises, in the form of schema `finding`."""

from uuid import UUID, uuid5

from gateway.tools.hidden import Hidden, hidden_in, shown
from gateway.tools.listing import ListedTool
from gateway.tools.pins import Hide, PinChange

TOOL_CHANGED = "tool-changed"
TOOL_HIDDEN_TEXT = "tool-hidden-text"
NAMESPACE = UUID("0c1b8a5e-54c5-5b3a-8a0e-3f4e9d3a7c21")
FINDINGS_MAX = 10  # of one tool until it is accepted: a server that never lists the same twice floods nobody
_EVIDENCE_MAX = 20


def findings_of(change: PinChange, hide: Hide = str) -> list[dict[str, object]]:
    """What a person should look at; [] for nothing. The ids come from connection, tool and digest.

    `hide` masks the texts that stand in the evidence.
    """
    if change.pin.changes > FINDINGS_MAX or change.kind == "settled":
        return []
    found = [_changed(change)] if change.kind == "changed" else []
    hidden = hidden_in(change.listed.name, change.listed.parts)
    return [*found, *([_hidden(change, hidden, hide)] if hidden else [])]


def _changed(change: PinChange) -> dict[str, object]:
    pin = change.pin
    evidence = [
        f"connection: {pin.connection}",
        f"tool: {shown(pin.tool)}",
        f"differs: {', '.join(pin.changed)}",
        f"pinned digest: {pin.digest}",
        f"listed digest: {pin.listed_digest}",
        f"pinned: {shown(pin.definition, 4_000)}",
        f"listed: {shown(pin.listed_definition, 4_000)}",
    ]
    title = f"{shown(pin.tool, 80)} of {pin.connection} is listed otherwise than it was pinned"
    return _finding(TOOL_CHANGED, "high", change, title, evidence)


def _hidden(change: PinChange, hidden: tuple[Hidden, ...], hide: Hide) -> dict[str, object]:
    pin = change.pin
    evidence = [f"connection: {pin.connection}", f"tool: {shown(pin.tool)}"]
    evidence += [f"{each.kind} in {each.path}: {hide(each.shown)}" for each in hidden[:_EVIDENCE_MAX]]
    title = f"{shown(pin.tool, 80)} of {pin.connection} has text that a person does not see"
    return _finding(TOOL_HIDDEN_TEXT, "high", change, title, evidence)


def _finding(
    rule: str, severity: str, change: PinChange, title: str, evidence: list[str]
) -> dict[str, object]:
    return {
        "finding_id": finding_id(rule, change.pin.connection, change.listed),
        "rule": rule,
        "severity": severity,
        "raised_at": change.pin.seen_at,
        "title": title,
        "evidence": evidence,
    }


def finding_id(rule: str, connection: str, listed: ListedTool) -> str:
    """One and the same wherever the same tool of the same connection is seen with the same digest."""
    return str(uuid5(NAMESPACE, f"{rule}|{connection}|{listed.digest}|{listed.name}"))
