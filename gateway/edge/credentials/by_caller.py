"""What is held once for all callers, or once for each of them."""

import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from gateway.edge.credentials.held import Ask, Held, Lasting
from gateway.edge.credentials.secret import Clock
from gateway.sessions import Principal

CALLERS_MAX = 10_000

T = TypeVar("T", bound=Lasting)
_Caller = tuple[str, str, str]


class ByCaller(Generic[T]):
    """`apart`: each caller has its own. Those used least lately are forgotten first."""

    def __init__(
        self, connection: str, *, apart: bool, clock: Clock = time.monotonic, callers_max: int = CALLERS_MAX
    ) -> None:
        self._connection = connection
        self._apart = apart
        self._clock = clock
        self._callers_max = callers_max
        self._held: OrderedDict[_Caller, Held[T]] = OrderedDict()

    def get(self, principal: Principal, ask: Ask[T]) -> Coroutine[Any, Any, T]:
        """What there is for this caller, asked for where there is none. Raises CredentialError."""
        return self._of(principal).get(ask)

    async def close(self) -> None:
        """Ends what is being asked."""
        for held in self._held.values():
            await held.close()

    def _key(self, principal: Principal) -> _Caller:
        return (principal.issuer, principal.subject, "") if self._apart else ("", "", "")

    def _of(self, principal: Principal) -> Held[T]:
        key = self._key(principal)
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
            return held
        held = self._held[key] = Held(self._connection, self._clock)
        if len(self._held) > self._callers_max:
            self._held.popitem(last=False)
        return held


class ByCredential(ByCaller[T]):
    """Each of a caller's own credentials has its own: groups and the end are those of that credential."""

    def _key(self, principal: Principal) -> _Caller:
        return (principal.issuer, principal.subject, principal.credential)
