"""Who may use a connection at all, before any rule is asked."""

from collections.abc import Callable

from gateway.policy.facts import Call
from gateway.sessions import Principal
from gateway.settings import Access

Holds = Callable[[Call], bool]


class Gate:
    """The `access` of one connection. `holds` is its condition, where it has one; it is False when it fails."""

    def __init__(self, access: Access, holds: Holds | None) -> None:
        self._groups = frozenset(access.groups)
        self._subjects = frozenset(access.subjects)
        self._holds = holds

    def names(self, principal: Principal) -> bool:
        """Whether `principal` is one of those who may use the connection, or everybody is."""
        return (
            not (self._groups or self._subjects)
            or principal.subject in self._subjects
            or not self._groups.isdisjoint(principal.groups)
        )

    def lets(self, principal: Principal, call: Callable[[], Call], *, lent: bool = False) -> bool:
        """Whether `principal` may use the connection; `call` gives the facts that a condition may look at. `lent`:
        somebody has lent it the access that it does not have itself; the condition counts all the same."""
        return (lent or self.names(principal)) and (self._holds is None or self._holds(call()))
