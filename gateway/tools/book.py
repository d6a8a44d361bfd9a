"""What the gateway knows of the tools of one connection, for policy."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from gateway.policy.verdict import Verdict
from gateway.settings import ToolSettings
from gateway.tools.listing import ListedTool
from gateway.tools.pins import Hide, PinChange, judge, last_annotations
from schemas.control import ToolPin

RULE = "tool-pinning"
TOOL_CHANGED = "tool_changed"
State = Literal["unknown", "pinned", "changed"]
Pins = Mapping[tuple[str, str], ToolPin]


class Known(NamedTuple):
    """What policy may know of a tool."""

    annotations: Mapping[str, Any]
    state: State


class ToolBook:
    """The tools of one connection: the pins that all replicas share, and what was seen here since.

    `pins` is the live view of the shared state, by (connection, tool). A change seen here counts at once, and
    until the shared state of that tool is another one than it was then.
    """

    def __init__(self, connection: str, pins: Pins) -> None:
        self._connection = connection
        self._pins = pins
        self._seen: dict[str, tuple[ToolPin | None, ToolPin]] = {}

    def pin(self, tool: str) -> ToolPin | None:
        """The pin in force, None for a tool that was never listed."""
        shared = self._pins.get((self._connection, tool))
        then, since = self._seen.get(tool, (None, None))
        if since is None:
            return shared
        if shared == then:
            return since
        del self._seen[tool]
        return shared

    def lookup(self, tool: str) -> Known:
        """Annotations as last listed, and the state."""
        pin = self.pin(tool)
        return Known({}, "unknown") if pin is None else Known(last_annotations(pin), pin.state)

    def expected(self, listed: ListedTool) -> Known:
        """What `lookup` says of a tool once a listing with it is taken: what its filter has to know."""
        change = judge(self.pin(listed.name), listed, self._connection, 0)
        if change is None:
            return self.lookup(listed.name)
        return Known(last_annotations(change.pin), change.pin.state)

    def take(self, listed: Iterable[ListedTool], now: int, hide: Hide = str) -> list[PinChange]:
        """The changes that a listing brings; they are in force here from now on, and to be announced.

        `now` is Unix µs; `hide` masks definitions before they are kept.
        """
        changes = []
        for tool in listed:
            change = judge(self.pin(tool.name), tool, self._connection, now, hide)
            if change is not None:
                self._seen[tool.name] = (self._pins.get((self._connection, tool.name)), change.pin)
                changes.append(change)
        return changes

    def forget(self, changes: Iterable[PinChange]) -> None:
        """What could not be announced is found again at the next listing."""
        for change in changes:
            self._seen.pop(change.tool, None)

    def verdict(self, tool: str, settings: ToolSettings) -> Verdict | None:
        """What a call of the tool gets before any rule; None: the rules decide."""
        return verdict_for(self.lookup(tool).state, settings)


def verdict_for(state: State, settings: ToolSettings) -> Verdict | None:
    """A changed tool is held or denied until it is accepted, unless the connection lets it."""
    if state != "changed" or settings.on_change == "allow":
        return None
    reason = "the tool is not what it was when it was pinned; it waits to be accepted"
    if settings.on_change == "hold":
        return Verdict("hold", RULE, reason, "policy_held")
    return Verdict("deny", RULE, reason, TOOL_CHANGED)
