"""Session tokens that the gateway gives to itself, in a caller's name, for what its upstreams call in turn."""

import time
from dataclasses import replace

from gateway.edge.announce import Announcer, stamp
from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.token import Token
from gateway.edge.identity import TokenError
from gateway.edge.tokens.exchange import MayUse
from gateway.edge.tokens.issuer import SessionTokenIssuer, TooLargeError
from gateway.sessions import Principal
from schemas.admin import Actor, admin_record

SECONDS_MAX = 300.0
"""Short: what ends such a token early is the block of its principal alone, since nobody else has its id at hand."""


class TokenDesk:
    """Gives tokens, each on the record (`token.issue`) before it is used. One a process."""

    def __init__(self, issuer: SessionTokenIssuer, may_use: MayUse, announcer: Announcer) -> None:
        self._issuer = issuer
        self._may_use = may_use
        self._announcer = announcer

    async def give(self, principal: Principal, connection: str, through: str) -> Token:
        """A token for `principal` on `connection`, for what is behind the connection `through`. Raises
        CredentialError where the principal may not use it itself."""
        free = replace(principal, connection="")  # its own session token may be bound to `through`
        if not self._may_use(free, connection):
            raise CredentialError(f"the caller may not use the connection {connection}, which this one calls")
        purpose = principal.purpose or f"called through {through}"
        try:
            issued = self._issuer.give(free, connection, purpose, SECONDS_MAX)
        except TokenError as error:
            raise CredentialError("the caller's token is at its end") from error
        except TooLargeError as error:
            raise CredentialError(str(error)) from error
        record = admin_record(
            stamp(),
            Actor("gateway", principal.subject, principal.issuer),
            "token.issue",
            connection,
            "done",
            reason=purpose,
            detail={"token_id": issued.token_id, "expires_at": issued.expires_at, "through": through},
        )
        if not await self._announcer.admin(record):
            raise CredentialError("the token for the connection behind could not be recorded")
        life = max(1.0, issued.expires_at - time.time())
        return Token(b"Bearer " + issued.token.encode("ascii"), life)
