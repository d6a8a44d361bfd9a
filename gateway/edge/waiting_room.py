"""How many calls may wait for people at once: in this process, and of one principal (G12)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from gateway.sessions import Principal
from gateway.settings import Holding


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One call that waits. `stop` ends its wait: its client does not want it any more."""

    principal: tuple[str, str]
    session_id: str
    request_id: str
    stop: Callable[[], None]


class WaitingRoom:
    """One a process."""

    def __init__(self, holding: Holding) -> None:
        self._all_max = holding.waiting_max
        self._one_max = holding.waiting_by_principal_max
        self._places: set[Place] = set()
        self._of: Counter[tuple[str, str]] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._places)

    def take(
        self, principal: Principal, session_id: str, request_id: str, stop: Callable[[], None]
    ) -> Place | None:
        """A place, None when all are taken, or all of this principal."""
        place = Place((principal.issuer, principal.subject), session_id, request_id, stop)
        if self.waiting >= self._all_max or self._of[place.principal] >= self._one_max:
            return None
        self._places.add(place)
        self._of[place.principal] += 1
        return place

    def leave(self, place: Place) -> None:
        """The call waits no longer; said twice it does no harm."""
        if place not in self._places:
            return
        self._places.remove(place)
        self._of[place.principal] -= 1
        if not self._of[place.principal]:
            del self._of[place.principal]

    def abandon(self, session_id: str, request_id: str) -> None:
        """The client of a session has cancelled this request of its own."""
        for place in list(self._places):
            if (place.session_id, place.request_id) == (session_id, request_id):
                place.stop()
