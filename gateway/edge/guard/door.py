"""The door of one process: how many may be inside, who leaves first, and where a refusal is recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.edge.guard.faults import DoorRefusal
from gateway.edge.guard.files import connections_possible
from gateway.edge.guard.upgrades import TakesSockets, takes_none

# Records a refusal; gives the exchange id that stands in the trail, '' when it could not be recorded in time.
Refused = Callable[[DoorRefusal], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Seconds, bytes, counts. A body may take `body_grace_seconds` and one second more for each
    `body_bytes_per_second` of it that have come, and may never pause for `body_idle_seconds`. A client for which
    more waits than its socket holds must read, in each `read_seconds`, at `read_bytes_per_second` or more."""

    connections_max: int = 16_384
    first_byte_seconds: float = 75.0
    head_seconds: float = 10.0
    body_idle_seconds: float = 15.0
    body_grace_seconds: float = 20.0
    body_bytes_per_second: int = 1_024
    read_seconds: float = 60.0
    read_bytes_per_second: int = 1_024


class Visitor(Protocol):
    """A connection of a client."""

    def leave(self) -> None:
        """Closes; asked for only while no request is under way."""


class Door:
    """What the connections of one process share. Make it after the limit on open files is set. `sockets`: where
    clients may open WebSockets."""

    def __init__(
        self, refused: Refused, limits: DoorLimits | None = None, sockets: TakesSockets = takes_none
    ) -> None:
        self.refused = refused
        self.sockets = sockets
        self.limits = limits or DoorLimits()
        self.connections_max = connections_possible(self.limits.connections_max)
        self._inside = 0
        self._idle: dict[Visitor, None] = {}  # who has waited longest first

    @property
    def inside(self) -> int:
        """Connections that are open."""
        return self._inside

    def enter(self, visitor: Visitor) -> bool:
        """Lets a connection in, at the cost of the one that has been idle longest where need be; False when all
        are busy. `left` must follow in both cases."""
        self._inside += 1
        if self._inside > self.connections_max:
            if not self._idle:
                return False
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.leave()
        self._idle[visitor] = None
        return True

    def busy(self, visitor: Visitor) -> None:
        """A request begins on it."""
        self._idle.pop(visitor, None)

    def idle(self, visitor: Visitor) -> None:
        """Its request is answered."""
        self._idle[visitor] = None

    def left(self, visitor: Visitor) -> None:
        """It is closed."""
        self._inside -= 1
        self._idle.pop(visitor, None)


class AtTheDoor(Protocol):
    """An ASGI application that has a door: `GuardedHttpProtocol` finds it there."""

    door: Door
