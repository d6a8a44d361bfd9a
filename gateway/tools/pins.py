"""Tool pins: what each tool said of itself when it was first seen, or last accepted, and what it says now.

    nothing ── listed ──▶ pinned ── listed otherwise ──▶ changed ── accepted, or as pinned again ──▶ pinned

Pure: `judge` tells the next state, which goes onto topic `control`. Two replicas that see the same come to the same
state and the same finding.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from gateway.tools.hidden import hidden_in
from gateway.tools.listing import DIGESTED, ListedTool, canonical
from schemas.control import ControlRecord, ToolPin, tool_pinned
from schemas.stamps import Stamp

ANNOTATIONS_LENGTH_MAX = 4_096
DEFINITION_LENGTH_MAX = 16_384
NAME_LENGTH_MAX = 256
Hide = Callable[[str], str]


class NotListedError(ValueError):
    """What is to be accepted is not what the server lists."""


@dataclass(frozen=True, slots=True)
class PinChange:
    """What a listing changes about a tool: the pin before (None: first seen) and the pin from now on."""

    kind: Literal["first_seen", "changed", "settled"]
    connection: str
    tool: str
    before: ToolPin | None
    pin: ToolPin
    listed: ListedTool

    def record(self, stamp: Stamp) -> ControlRecord:
        """Its record for topic `control`; the key is the record's `target`."""
        reasons = {"first_seen": "first seen", "settled": "listed as it was pinned again"}
        reason = reasons.get(self.kind, f"listed with another {', '.join(self.pin.changed)}")
        return tool_pinned(stamp, self.connection, self.tool, self.pin, by="gateway", reason=reason)


def judge(
    known: ToolPin | None, listed: ListedTool, connection: str, now: int, hide: Hide = str
) -> PinChange | None:
    """What `listed` changes; None when nothing. `hide` masks what is kept of a definition; `now` is Unix µs."""
    if known is None:
        if not _can_be_pinned(listed.name):
            return None
        return PinChange("first_seen", connection, listed.name, None, _new(listed, now, hide), listed)
    if listed.digest == last_digest(known):
        return None
    if listed.digest == known.digest:
        return PinChange("settled", connection, listed.name, known, _settled(known), listed)
    return PinChange("changed", connection, listed.name, known, _changed(known, listed, hide), listed)


def accepted(pin: ToolPin, by: str, digest: str = "") -> ToolPin:
    """The pin once a person has accepted what is listed. Raises NotListedError when that is not `digest`."""
    if digest and digest != last_digest(pin):
        raise NotListedError(f"the tool is listed with digest {last_digest(pin)}, not {digest}")
    if pin.state == "pinned":
        return replace(pin, accepted_by=by)
    return replace(
        _settled(pin),
        digest=pin.seen_digest,
        annotations=pin.seen_annotations,
        flags=pin.seen_flags,
        definition=pin.seen_definition,
        changes=0,
        accepted_by=by,
    )


def last_digest(pin: ToolPin) -> str:
    """Digest of the tool as it was listed last."""
    return pin.seen_digest if pin.state == "changed" else pin.digest


def last_annotations(pin: ToolPin) -> Mapping[str, Any]:
    """Annotations of the tool as it was listed last."""
    return pin.seen_annotations if pin.state == "changed" else pin.annotations


def flags_of(listed: ListedTool) -> tuple[str, ...]:
    """Kinds of hidden text in it, and the fault of its listing if there is one."""
    kinds = [hidden.kind for hidden in hidden_in(listed.name, listed.parts)]
    return tuple(dict.fromkeys([*kinds, *([listed.odd] if listed.odd else [])]))


def differing(old: str, new: str) -> tuple[str, ...]:
    """Which parts two definitions differ in; `definition` where that cannot be told."""
    try:
        before, after = json.loads(old), json.loads(new)
        parts = tuple(part for part in DIGESTED if before.get(part) != after.get(part))
    except (ValueError, AttributeError, RecursionError):
        parts = ()
    return parts or ("definition",)


def _new(listed: ListedTool, now: int, hide: Hide) -> ToolPin:
    return ToolPin(
        listed.digest,
        annotations=_annotations(listed, hide),
        flags=flags_of(listed),
        definition=_kept(listed, hide),
        first_seen_at=now,
    )


def _changed(known: ToolPin, listed: ListedTool, hide: Hide) -> ToolPin:
    definition = _kept(listed, hide)
    return replace(
        known,
        state="changed",
        seen_digest=listed.digest,
        seen_annotations=_annotations(listed, hide),
        seen_flags=flags_of(listed),
        seen_definition=definition,
        changed=differing(known.definition, definition),
        changes=known.changes + 1,
    )


def _settled(pin: ToolPin) -> ToolPin:
    return replace(
        pin,
        state="pinned",
        seen_digest="",
        seen_annotations={},
        seen_flags=(),
        seen_definition="",
        changed=(),
    )


def _kept(listed: ListedTool, hide: Hide) -> str:
    """Its definition as a record keeps it: text that UTF-8 can hold."""
    text = hide(listed.definition).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= DEFINITION_LENGTH_MAX else text[:DEFINITION_LENGTH_MAX] + "…"


def _annotations(listed: ListedTool, hide: Hide) -> dict[str, Any]:
    """Its annotations as a record keeps them; what is no small object says nothing."""
    text = hide(canonical(listed.annotations))
    try:
        known = json.loads(text) if len(text) <= ANNOTATIONS_LENGTH_MAX else {}
    except (ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _can_be_pinned(name: str) -> bool:
    """A name that no record can hold stays unknown, which is what policy then says of it."""
    return 0 < len(name) <= NAME_LENGTH_MAX and not any("\ud800" <= char <= "\udfff" for char in name)
