"""What every verifier of tokens gives and raises, and the hook for the gateway's own tokens."""

from typing import Literal, Protocol

from gateway.sessions import Principal

TokenReason = Literal["invalid_token", "token_expired", "insufficient_scope", "identity_unavailable"]


class TokenError(Exception):
    """A token does not say who calls. `detail` is for the client: it says what to do, and nothing of the token."""

    def __init__(self, reason_code: TokenReason, detail: str) -> None:
        super().__init__(f"{reason_code}: {detail}")
        self.reason_code: TokenReason = reason_code
        self.detail = detail


class TrustedIssuer(Protocol):
    """One more issuer, inside this process: no keys to fetch, no claims to map."""

    @property
    def issuer(self) -> str:
        """The exact `iss` of its tokens."""
        ...

    def verify(self, token: str) -> Principal:
        """The principal of a compact token whose `iss` is `issuer`. Raises TokenError.

        Without I/O. What it gives may be remembered until `expires_at`: who revokes tokens looks at
        `Principal.credential` on each use. A token is refused off its `Principal.connection` by the caller.
        """
        ...
