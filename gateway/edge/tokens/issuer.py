"""What a session token says, and whether one is ours.

Signed with Ed25519 by a key that all replicas share and that signs nothing else: a token whose signature holds was
written here, header and claims. Source: RFC 9068 (JWT access tokens), RFC 8037 (EdDSA).
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.edge.identifiers import Entropy
from gateway.edge.identity import TokenError, resource_url
from gateway.sessions import Principal
from gateway.settings import ConnectionKind, SessionTokens

ALGORITHM = "EdDSA"
TOKEN_BYTES_MAX = 8_000  # what a header of common servers takes, with room
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti", "sub_iss"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A session token that was given. `expires_at` is Unix seconds; `token` is a secret, and not shown."""

    token: str
    token_id: str
    expires_at: int

    def __repr__(self) -> str:
        return f"Issued({self.token_id}, expires_at={self.expires_at})"


class TooLargeError(ValueError):
    """The principal has so many groups that no header could carry the token."""


class SessionTokenIssuer:
    """Gives and verifies session tokens; a TrustedIssuer. `kinds` are those of the connections, by name; one that is
    not in it counts as MCP's."""

    def __init__(
        self,
        settings: SessionTokens,
        public_url: str,
        kinds: Mapping[str, ConnectionKind] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        private = Ed25519PrivateKey.from_private_bytes(settings.key)
        self._private = private
        self._public = private.public_key()
        raw = self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = sha256(raw).hexdigest()[:16]
        self._url = public_url.rstrip("/")
        self._kinds = dict(kinds or {})
        self._ttl = settings.ttl_seconds
        self._clock = clock
        self.purpose_required = settings.purpose_required

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""
        return self._url

    def resource(self, connection: str) -> str:
        """The canonical URL of a connection: the `aud` of its tokens."""
        return resource_url(self._url, connection, self._kinds.get(connection, ConnectionKind.MCP))

    def connection_of(self, resource: str) -> str:
        """The name in the URL of a connection; '' for any other URL."""
        name = resource.rpartition("/")[2]
        return name if "?" not in name and resource == self.resource(name) else ""

    def give(
        self, principal: Principal, connection: str, purpose: str, seconds_max: float = math.inf
    ) -> Issued:
        """A token for `principal` on `connection`, good until the lifetime ends or the principal's own token does,
        and for `seconds_max` at most.

        Raises TooLargeError, and TokenError when the principal's own token is at its end.
        """
        now = int(self._clock())
        expires_at = int(min(now + self._ttl, now + seconds_max, principal.expires_at))
        if expires_at <= now:
            raise TokenError("token_expired", "the subject token is at its end; get a new one")
        token_id = Entropy(16).uuid7()
        claims = self._claims(principal, connection, purpose)
        times: dict[str, Any] = {"jti": token_id, "iat": now, "exp": expires_at}
        headers = {"kid": self.key_id, "typ": "at+jwt"}
        token = jwt.encode(claims | times, self._private, algorithm=ALGORITHM, headers=headers)
        if len(token) > TOKEN_BYTES_MAX:
            raise TooLargeError(f"the principal's groups make a token above {TOKEN_BYTES_MAX} bytes")
        return Issued(token, token_id, expires_at)

    def verify(self, token: str) -> Principal:
        """The principal of one of our tokens. Raises TokenError. Whether it was revoked, Control knows."""
        return self._principal(self._verified(token))

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenError("invalid_token", "the token is larger than any session token")
        try:
            return jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                issuer=self._url,
                # `aud` is looked at in `_principal`; a replica whose clock is behind takes fresh tokens too
                options={"require": _REQUIRED, "verify_aud": False, "verify_iat": False},
            )
        except jwt.ExpiredSignatureError as exc:
            raise TokenError("token_expired", "the session token has expired; exchange a new one") from exc
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as exc:
            raise TokenError("invalid_token", "this is no session token of this gateway") from exc

    def _claims(self, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
        return {
            "iss": self._url,
            "aud": self.resource(connection),
            "sub": principal.subject,
            "sub_iss": principal.issuer,
            "groups": list(principal.groups),
            "client_id": principal.client_id,
            "email": principal.email,
            "purpose": purpose,
        }

    def _principal(self, claims: dict[str, Any]) -> Principal:
        connection = self.connection_of(str(claims["aud"]))
        if not connection:
            raise TokenError("invalid_token", "the session token is for no connection of this gateway")
        return Principal(
            issuer=claims["sub_iss"],
            subject=claims["sub"],
            credential=claims["jti"],
            groups=tuple(claims["groups"]),
            client_id=claims["client_id"],
            email=claims["email"],
            purpose=claims["purpose"],
            connection=connection,
            expires_at=float(claims["exp"]),
        )
