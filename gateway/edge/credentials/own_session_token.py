"""A session token of this gateway for another of its connections, in the caller's name.

What speaks behind a connection and passes its caller's Authorization on (as kubernetes-mcp-server does towards
Kubernetes) then calls the other connection as the same person: who did it is on both records, and the other
connection's rules see who it is.
"""

import time
from functools import partial
from typing import Protocol

from gateway.edge.credentials.by_caller import ByCredential
from gateway.edge.credentials.injector import Stripping
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.token import Token
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import OwnSessionToken


class Desk(Protocol):
    """Where tokens are given: `gateway.edge.tokens.TokenDesk`."""

    async def give(self, principal: Principal, connection: str, through: str) -> Token:
        """A token for `principal` on `connection`. Raises CredentialError where it may not use that itself."""
        ...


class OwnSession(Stripping):
    """A token for each credential of a caller, given again late in its life."""

    def __init__(
        self, credential: OwnSessionToken, connection: str, desk: Desk, clock: Clock = time.monotonic
    ) -> None:
        self._target = credential.connection
        self._connection = connection
        self._desk = desk
        self._held: ByCredential[Token] = ByCredential(connection, apart=True, clock=clock)

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`."""
        ask = partial(self._desk.give, principal, self._target, self._connection)
        token = await self._held.get(principal, ask)
        return [(b"authorization", token.header)]

    async def close(self) -> None:
        """See `Injector`."""
        await self._held.close()


def own_session_token(credential: OwnSessionToken, connection: str, desk: Desk | None) -> OwnSession:
    """The injector of `connection`. Raises ValueError where the gateway gives no session tokens."""
    if desk is None:
        raise ValueError(
            f"connection {connection}: a session_token needs identity.mode oidc and identity.session_tokens"
        )
    return OwnSession(credential, connection, desk)
