"""How much of a connection one principal may use, and how much all together: token buckets and counts, in memory.

A bucket is one number, the time at which it will be full again (the generic cell rate algorithm): a request is let
in while that lies less than the burst ahead. A principal is forgotten only once its bucket is full and nothing of
its runs, so forgetting changes nothing; where there are more principals than places, those without one share one.
"""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from gateway.sessions import Principal
from gateway.settings import Connection, Quota, Rate

PLACES_MAX = 16_384
LOOKED_AT = 8  # places looked at for one that can be given away
BUSY_SECONDS = 1.0  # when a place among those running becomes free nobody knows: a client may ask again soon


@dataclass(frozen=True, slots=True)
class Refused:
    """Too much. `retry_after_seconds` is whole seconds, at least 1; `detail` says which bound it is."""

    retry_after_seconds: int
    detail: str


class _Use:
    """What one key uses: when its bucket is full again, and how many of its exchanges run."""

    __slots__ = ("full_at", "running")

    def __init__(self) -> None:
        self.full_at = -math.inf
        self.running = 0

    def wait(self, rate: Rate, now: float) -> float:
        """Seconds until the bucket holds a token; 0.0 when it does now."""
        if self.full_at <= now:
            return 0.0
        return max(0.0, self.full_at - now - (rate.burst - 1) / rate.per_second)

    def take(self, rate: Rate, now: float) -> None:
        """Takes a token that is there."""
        self.full_at = max(self.full_at, now) + 1 / rate.per_second


class _Places:
    """Uses by key, those asked for longest ago first, never more than `places_max`."""

    def __init__(self, places_max: int) -> None:
        self._places_max = places_max
        self._uses: dict[Hashable, _Use] = {}
        self._shared = _Use()

    def of(self, key: Hashable, now: float) -> _Use:
        use = self._uses.pop(key, None)
        if use is None:
            if len(self._uses) >= self._places_max and not self._gave_one_away(now):
                return self._shared
            use = _Use()
        self._uses[key] = use
        return use

    def _gave_one_away(self, now: float) -> bool:
        for _ in range(LOOKED_AT):
            key, use = next(iter(self._uses.items()))
            del self._uses[key]
            if not use.running and use.full_at <= now:
                return True
            self._uses[key] = use
        return False


class Lease:
    """A place among those that run, to be given back by `leave` once the exchange has ended."""

    __slots__ = ("_uses",)

    def __init__(self, *uses: _Use) -> None:
        self._uses = uses

    def leave(self) -> None:
        """Gives it back; again changes nothing."""
        for use in self._uses:
            use.running -= 1
        self._uses = ()


class Quotas:
    """The quotas of all connections in this process. `clock` gives monotonic seconds."""

    def __init__(
        self, connections: Iterable[Connection], clock: Callable[[], float], places_max: int = PLACES_MAX
    ) -> None:
        self._clock = clock
        self._quotas = {c.name: (c.quota, _Use()) for c in connections if c.quota != Quota()}
        self._principals = _Places(places_max)
        self._rules = _Places(places_max)

    def enter(self, connection: str, principal: Principal) -> Lease | Refused:
        """A place for one exchange, and a token of each bucket; or what is used up, and nothing is taken."""
        bounded = self._quotas.get(connection)
        if bounded is None:
            return Lease()
        quota, total = bounded
        now = self._clock()
        # not the credential: a renewed or re-padded token, or another user agent, is the same caller
        own = self._principals.of((connection, principal.issuer, principal.subject), now)
        refused = _refusal(own, quota.rate, quota.concurrent, now, "this principal") or _refusal(
            total, quota.total_rate, quota.total_concurrent, now, "all together"
        )
        if refused is not None:
            return refused
        if quota.rate is not None:
            own.take(quota.rate, now)
        if quota.total_rate is not None:
            total.take(quota.total_rate, now)
        own.running += 1
        total.running += 1
        return Lease(own, total)

    def take(self, key: Hashable, rate: Rate) -> float:
        """A token of the bucket `key`: 0.0 when it was there, else the seconds until one is, and none is taken."""
        now = self._clock()
        use = self._rules.of(key, now)
        wait = use.wait(rate, now)
        if wait <= 0.0:
            use.take(rate, now)
        return wait


def _refusal(use: _Use, rate: Rate | None, concurrent: int | None, now: float, whose: str) -> Refused | None:
    if concurrent is not None and use.running >= concurrent:
        return Refused(math.ceil(BUSY_SECONDS), f"{concurrent} at once by {whose}")
    if rate is not None and (wait := use.wait(rate, now)) > 0.0:
        return Refused(max(1, math.ceil(wait)), f"{rate.per_second:g} a second by {whose}")
    return None
