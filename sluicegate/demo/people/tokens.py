"""The tokens: JWTs signed with ES256, each for one use.

Access tokens by RFC 9068, for the resource asked for (RFC 8707). Refresh tokens are JWTs too, so that they outlive a
restart; each is good once.
"""

import time
import uuid
from typing import Any, Final

import jwt

from sluicegate.demo.people.directory import PEOPLE, Person
from sluicegate.demo.people.errors import OAuthError
from sluicegate.demo.people.grants import Clock, Wish
from sluicegate.demo.people.keys import SigningKey

ALGORITHM: Final = "ES256"
ACCESS_SECONDS: Final = 900
REFRESH_SECONDS: Final = 12 * 3600
REFRESH_TYPE: Final = "demo-refresh+jwt"
USED_MAX: Final = 10_000


class Tokens:
    """Makes tokens of `issuer`, and takes its refresh tokens back."""

    def __init__(self, issuer: str, key: SigningKey, clock: Clock = time.time) -> None:
        self._issuer, self._key, self._clock = issuer, key, clock
        self._used: dict[str, None] = {}

    def answer(self, person: Person, wish: Wish) -> dict[str, Any]:
        """What the token endpoint gives."""
        given = {
            "access_token": self._access(person, wish),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "refresh_token": self._refresh(person, wish),
        }
        if wish.scope:
            given["scope"] = wish.scope
        if "openid" in wish.scope.split():
            given["id_token"] = self._id(person, wish)
        return given

    def refreshed(self, token: str, client_id: str) -> tuple[Person, Wish]:
        """Who asked for what when this program was given the refresh token; it is good once. Raises OAuthError."""
        claims = self._read(token)
        if claims["client_id"] != client_id:
            raise OAuthError("invalid_grant", "the refresh token is another program's")
        if claims["jti"] in self._used:
            raise OAuthError("invalid_grant", "the refresh token was used already")
        self._used[claims["jti"]] = None
        if len(self._used) > USED_MAX:
            del self._used[next(iter(self._used))]
        return PEOPLE[claims["sub"]], Wish(client_id, claims["resource"], claims["scope"])

    def _access(self, person: Person, wish: Wish) -> str:
        claims = {
            "aud": wish.resource,
            "azp": wish.client_id,
            "client_id": wish.client_id,
            "groups": list(person.groups),
            "email": person.email,
            "scope": wish.scope,
        }
        return self._signed("at+jwt", ACCESS_SECONDS, person, claims)

    def _id(self, person: Person, wish: Wish) -> str:
        claims: dict[str, Any] = {"aud": wish.client_id, "name": person.name, "email": person.email}
        claims["groups"] = list(person.groups)
        if wish.nonce:
            claims["nonce"] = wish.nonce
        return self._signed("JWT", ACCESS_SECONDS, person, claims)

    def _refresh(self, person: Person, wish: Wish) -> str:
        claims = {"aud": self._issuer, "client_id": wish.client_id, "resource": wish.resource}
        return self._signed(REFRESH_TYPE, REFRESH_SECONDS, person, {**claims, "scope": wish.scope})

    def _signed(self, kind: str, seconds: int, person: Person, claims: dict[str, Any]) -> str:
        now = int(self._clock())
        about = {"iss": self._issuer, "sub": person.subject, "iat": now, "exp": now + seconds}
        headers = {"typ": kind, "kid": self._key.ident}
        return jwt.encode(
            {**about, "jti": str(uuid.uuid4()), **claims}, self._key.private, ALGORITHM, headers
        )

    def _read(self, token: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode_complete(
                token,
                self._key.private.public_key(),
                [ALGORITHM],
                audience=self._issuer,
                issuer=self._issuer,
                options={"verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            raise OAuthError("invalid_grant", "this is no refresh token of ours") from None
        claims: dict[str, Any] = decoded["payload"]
        if decoded["header"].get("typ") != REFRESH_TYPE:
            raise OAuthError("invalid_grant", "this is no refresh token of ours")
        if claims["exp"] <= self._clock():
            raise OAuthError("invalid_grant", "the refresh token has expired; log in again")
        return claims
