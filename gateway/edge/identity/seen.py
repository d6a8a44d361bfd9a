"""Tokens verified before. Bounded; a token is held as its digest, so what memory has of it is nobody's credential."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from gateway.edge.identity.claims import Validity, check_moment
from gateway.edge.identity.compact import invalid
from gateway.edge.identity.provider import Provider
from gateway.edge.identity.trusted import TokenError
from gateway.sessions import Principal

TOKENS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class SeenToken:
    """What verification found. `resources`: what it may be used on, None where its issuer's settings settle that.
    `provider`: whose keys it hangs on, None for our own tokens."""

    principal: Principal
    valid: Validity
    resources: frozenset[str] | None
    provider: Provider | None


class SeenTokens:
    """The verified tokens used last, by the digest of their one spelling: another spelling does not find them here,
    is parsed again, and so makes no entry of its own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[bytes, SeenToken] = OrderedDict()

    def find(self, token: bytes, resource: str) -> Principal | None:
        """Whom a token seen before names; None when it was not. Raises TokenError when it no longer counts."""
        digest = sha256(token).digest()
        seen = self._seen.get(digest)
        if seen is None:
            return None
        self._seen.move_to_end(digest)
        return self.check(seen, resource)

    def add(self, token: bytes, seen: SeenToken) -> None:
        """Remembers a token; the one not used for longest goes for it."""
        self._seen[sha256(token).digest()] = seen
        if len(self._seen) > TOKENS_MAX:
            self._seen.popitem(last=False)

    def clear(self) -> None:
        """Forgets all: keys have changed."""
        self._seen.clear()

    def check(self, seen: SeenToken, resource: str) -> Principal:
        """Whom it names, if it counts now and on `resource`. Raises TokenError."""
        now = self._clock()
        if not seen.valid.since <= now < seen.valid.until:
            check_moment(seen.valid, now)
        if seen.resources is not None and resource not in seen.resources:
            raise invalid("the token is for another resource: ask the provider for one for this resource")
        if seen.provider is not None and not seen.provider.usable:
            raise TokenError("identity_unavailable", "the token's issuer has not answered for too long")
        return seen.principal
