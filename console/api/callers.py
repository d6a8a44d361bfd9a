"""Who asks: by a bearer token of an issuer, or, on loopback, by the token that only this terminal's user can read."""

import hmac
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from starlette.requests import Request

from console.api.pace import Pace
from console.api.problems import Problem
from console.desk import Desk
from console.directory import Directory, Person
from console.settings import ConsoleSettings
from console.sight import Sight
from gateway.edge.identity import Identity, UnidentifiedError


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks, until `expires_at` (Unix seconds). `auditor` sees all, `revoker` also may revoke all.

    `proven` lacks the names that nobody but the token's own claims gives the person: a mail address there may be
    anybody's. It is enough to keep somebody from a decision, and gives nobody a right.
    """

    person: Person
    proven: Person
    auditor: bool = False
    revoker: bool = False
    expires_at: float = math.inf
    credential: str = ""

    def sight(self, desk: Desk) -> Sight:
        """What the caller may see and decide now."""
        return desk.sight(self.person, proven=self.proven, auditor=self.auditor, revoker=self.revoker)


class Vouching(Protocol):
    """Tells who asks."""

    async def caller(self, request: Request) -> Caller:
        """Who, without what the groups give. Raises Problem."""
        ...


Barring = Callable[[Caller], str]
"""Why somebody gets nothing: blocked, or with a token that was taken back. '' when nobody did that."""


class Callers:
    """The door of the API: who asks, and how often."""

    def __init__(self, settings: ConsoleSettings, vouching: Vouching, barring: Barring) -> None:
        self._vouching, self.barred = vouching, barring
        self._auditors = frozenset(settings.auditor_groups)
        self._revokers = frozenset(settings.revoker_groups)
        limits = settings.api
        self._pace = Pace(limits.requests_per_second, limits.requests_burst)
        self._strangers = Pace(limits.requests_per_second, limits.requests_burst)

    async def caller(self, request: Request) -> Caller:
        """Raises Problem for who may not ask, or not now."""
        try:
            caller = await self._vouching.caller(request)
        except Problem:
            peer = request.client.host if request.client else ""
            _go_on(self._strangers.wait(peer))
            raise
        _go_on(self._pace.wait(caller.person.name))
        if reason := self.barred(caller):
            raise Problem(403, "blocked", reason)
        groups = frozenset(caller.person.groups)
        return replace(caller, auditor=bool(groups & self._auditors), revoker=bool(groups & self._revokers))


class TokenVouching:
    """By OIDC. The console is a resource of its own: a token for the gateway is none for the console, unless the
    issuer's audiences are the same."""

    def __init__(self, identity: Identity, resource: str, directory: Directory) -> None:
        self._identity, self._resource, self._directory = identity, resource, directory

    async def caller(self, request: Request) -> Caller:
        """As in `Vouching`."""
        try:
            principal = await self._identity.identify(
                list(request.scope["headers"]),
                request.scope["query_string"].decode("latin-1"),
                self._resource,
            )
        except UnidentifiedError as error:
            headers = {"WWW-Authenticate": error.challenge} if error.challenge else {"Retry-After": "5"}
            raise Problem(error.status, error.reason_code, error.detail, headers) from None
        bare = Person(principal.issuer, principal.subject, principal.groups)
        mail = (f"mail:{principal.email}",) if principal.email else ()
        return Caller(
            self._directory.known(replace(bare, aliases=mail)),
            self._directory.known(bare),
            expires_at=principal.expires_at,
            credential=principal.credential,
        )


class TerminalVouching:
    """By the token in a file that nobody but the owner of this process can read."""

    def __init__(self, token: str, person: Person, directory: Directory) -> None:
        self._header = b"Bearer " + token.encode("ascii")
        self._person = directory.known(person)

    async def caller(self, request: Request) -> Caller:
        """As in `Vouching`."""
        given = [value for name, value in request.scope["headers"] if name == b"authorization"]
        if len(given) != 1 or not hmac.compare_digest(given[0], self._header):
            raise Problem(
                401,
                "unauthenticated",
                "send the token in the console's token file as a bearer token",
                {"WWW-Authenticate": "Bearer"},
            )
        return Caller(self._person, self._person)


def seconds_left(caller: Caller) -> float | None:
    """For how long the caller's token is good; None for as long as may be."""
    return None if math.isinf(caller.expires_at) else caller.expires_at - time.time()


def _go_on(seconds: int) -> None:
    if seconds:
        raise Problem(429, "too_many_requests", "you ask too often", {"Retry-After": str(seconds)})
