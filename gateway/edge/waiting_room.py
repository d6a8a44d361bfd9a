"""How many calls may wait for people at once: in this process, and of one principal (G12)."""

from collections import Counter
from collections.abc import Callable

from gateway.sessions import Principal
from gateway.settings import Holding


class Place:
    """One call that waits. `leave` gives its place back, once."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """The call waits no longer."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class WaitingRoom:
    """One a process."""

    def __init__(self, holding: Holding) -> None:
        self._all_max = holding.waiting_max
        self._one_max = holding.waiting_by_principal_max
        self._waiting: Counter[tuple[str, str]] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting.total()

    def take(self, principal: Principal) -> Place | None:
        """A place, None when all are taken, or all of this principal."""
        key = (principal.issuer, principal.subject)
        if self.waiting >= self._all_max or self._waiting[key] >= self._one_max:
            return None
        self._waiting[key] += 1
        return Place(lambda: self._left(key))

    def _left(self, key: tuple[str, str]) -> None:
        self._waiting[key] -= 1
        if not self._waiting[key]:
            del self._waiting[key]
