"""Tool pins: what each tool said of itself when it was first seen, or last accepted, and what it says now.

    nothing ── listed ──▶ pinned ── listed otherwise ──▶ changed ── accepted, or as pinned again ──▶ pinned

Pure: `judge` tells the next state, which becomes the record of key `pin:CONNECTION|TOOL` in topic `control`. Two
replicas that see the same come to the same record and the same finding.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gateway.tools.hidden import hidden_in
from gateway.tools.listing import DIGESTED, ListedTool, canonical

ANNOTATIONS_LENGTH_MAX = 4_096
DEFINITION_LENGTH_MAX = 32_768
NAME_LENGTH_MAX = 256
State = Literal["pinned", "changed"]
Hide = Callable[[str], str]


class NotListedError(ValueError):
    """What is to be accepted is not what the server lists."""


@dataclass(frozen=True, slots=True)
class ToolPin:
    """One tool of one connection. `digest` and `definition`: as pinned; `listed_…`: as last seen. Times in Unix µs.

    Definitions are canonical JSON, masked and cut at `DEFINITION_LENGTH_MAX`: they are shown, never compared.
    """

    connection: str
    tool: str
    digest: str
    definition: str
    listed_digest: str
    listed_definition: str
    annotations: Mapping[str, Any] = field(default_factory=dict)  # as last seen, masked
    flags: tuple[str, ...] = ()  # kinds of hidden text in what was last seen
    changed: tuple[str, ...] = ()  # what differs: description, inputSchema, …
    changes: int = 0
    first_seen_at: int = 0
    seen_at: int = 0
    accepted_by: str = ""  # '' while it is as first seen

    @property
    def state(self) -> State:
        """`changed` while the server lists it otherwise than it was pinned."""
        return "pinned" if self.digest == self.listed_digest else "changed"

    @property
    def key(self) -> str:
        """Its key in topic `control`. A connection's name has no bar in it."""
        return f"pin:{self.connection}|{self.tool}"

    def detail(self) -> str:
        """The JSON that its record carries."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["annotations"] = dict(self.annotations)
        return json.dumps({**fields, "state": self.state}, sort_keys=True)

    @classmethod
    def read(cls, detail: str) -> "ToolPin":
        """The pin in a record's detail. Raises ValueError on what is none."""
        known = json.loads(detail)
        if not isinstance(known, dict):
            raise ValueError("a tool pin is a JSON object")
        known.pop("state", None)
        try:
            lists = {name: tuple(map(str, known.get(name, ()))) for name in ("flags", "changed")}
            return cls(**{**known, **lists})
        except TypeError as exc:
            raise ValueError(f"a tool pin does not fit: {exc}") from exc


@dataclass(frozen=True, slots=True)
class PinChange:
    """What a listing changes about a tool: the pin before (None: first seen) and the pin from now on."""

    kind: Literal["first_seen", "changed", "settled"]
    before: ToolPin | None
    pin: ToolPin
    listed: ListedTool


def judge(
    known: ToolPin | None, listed: ListedTool, connection: str, now: int, hide: Hide = str
) -> PinChange | None:
    """What `listed` changes; None when nothing. `hide` masks a definition before it is kept."""
    if known is None:
        return _first_seen(listed, connection, now, hide) if _can_be_pinned(listed.name) else None
    if listed.digest == known.listed_digest:
        return None
    settled = listed.digest == known.digest
    pin = replace(
        known,
        listed_digest=listed.digest,
        listed_definition=known.definition if settled else kept(listed, hide),
        annotations=_annotations(listed, hide),
        flags=flags(listed),
        changed=() if settled else differing(known.definition, kept(listed, hide)),
        changes=known.changes + (not settled),
        seen_at=now,
    )
    return PinChange("settled" if settled else "changed", known, pin, listed)


def accepted(pin: ToolPin, by: str, now: int, digest: str = "") -> ToolPin:
    """The pin once a person has accepted what is listed. Raises NotListedError when that is not `digest`."""
    if digest and digest != pin.listed_digest:
        raise NotListedError(f"{pin.tool} is listed with digest {pin.listed_digest}, not {digest}")
    return replace(
        pin,
        digest=pin.listed_digest,
        definition=pin.listed_definition,
        changed=(),
        changes=0,
        accepted_by=by,
        seen_at=now,
    )


def flags(listed: ListedTool) -> tuple[str, ...]:
    """Kinds of hidden text in it, and the fault of its listing if there is one."""
    kinds = [hidden.kind for hidden in hidden_in(listed.name, listed.parts)]
    return tuple(dict.fromkeys([*kinds, *([listed.odd] if listed.odd else [])]))


def kept(listed: ListedTool, hide: Hide) -> str:
    """Its definition as a record keeps it."""
    text = hide(listed.definition)
    return text if len(text) <= DEFINITION_LENGTH_MAX else text[:DEFINITION_LENGTH_MAX] + "…"


def differing(old: str, new: str) -> tuple[str, ...]:
    """Which parts two definitions differ in; `definition` where that cannot be told."""
    try:
        before, after = json.loads(old), json.loads(new)
        parts = tuple(part for part in DIGESTED if before.get(part) != after.get(part))
    except (ValueError, AttributeError, RecursionError):
        parts = ()
    return parts or ("definition",)


def _annotations(listed: ListedTool, hide: Hide) -> dict[str, Any]:
    """Its annotations as a record keeps them; what is no small object says nothing."""
    text = hide(canonical(listed.annotations))
    try:
        known = json.loads(text) if len(text) <= ANNOTATIONS_LENGTH_MAX else {}
    except (ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _first_seen(listed: ListedTool, connection: str, now: int, hide: Hide) -> PinChange:
    definition = kept(listed, hide)
    pin = ToolPin(
        connection,
        listed.name,
        listed.digest,
        definition,
        listed.digest,
        definition,
        annotations=_annotations(listed, hide),
        flags=flags(listed),
        first_seen_at=now,
        seen_at=now,
    )
    return PinChange("first_seen", None, pin, listed)


def _can_be_pinned(name: str) -> bool:
    """A name that no record can hold stays unknown, which is what policy then says of it."""
    return 0 < len(name) <= NAME_LENGTH_MAX and not any("\ud800" <= char <= "\udfff" for char in name)
