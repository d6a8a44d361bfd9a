"""What a verified token's claims must say before they name anyone (RFC 7519, RFC 8725, RFC 9068)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.edge.identity.compact import CompactToken, invalid, media_type
from gateway.edge.identity.trusted import TokenError
from gateway.settings import Issuer

LAST_MOMENT = 253_402_300_799  # the end of the year 9999
AUDIENCES_MAX = 100

# OpenID Connect Core 3.1.3.6 and 3.3.2.11: claims that bind an ID token to one login, which access tokens lack
_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash")
# Keycloak says in the claim `typ` what a token is for
_NEVER_FOR_ACCESS = frozenset({"refresh", "offline", "logout"})


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a token counts, Unix seconds, the leeway included."""

    since: float
    until: float


def validity(claims: Mapping[str, Any], issuer: Issuer) -> Validity:
    """When the token counts: `since <= now < until`. Raises TokenError where a time is missing or no sane number."""
    expires_at = _moment(claims, "exp")
    if expires_at is None:
        raise invalid("the token has no `exp`")
    begins = max(_moment(claims, "nbf") or 0.0, _moment(claims, "iat") or 0.0)
    return Validity(begins - issuer.leeway_seconds, expires_at + issuer.leeway_seconds)


def check_moment(valid: Validity, now: float) -> None:
    """Raises TokenError unless the token counts now."""
    if now >= valid.until:
        raise TokenError("token_expired", "the token has expired: get a new one")
    if now < valid.since:
        raise invalid("the token is not valid yet: see that the clocks agree")


def check_kind(token: CompactToken, issuer: Issuer) -> None:
    """Raises TokenError for a token of a kind that is not for access."""
    if token.type not in {media_type(name) for name in issuer.types}:
        raise invalid("the token's header `typ` is not one that this issuer's access tokens have")
    said = token.claims.get("typ")
    kind = said.lower() if isinstance(said, str) else ""
    if kind in _NEVER_FOR_ACCESS or "events" in token.claims:
        raise invalid("the token is not for access")
    if issuer.id_tokens or token.type == "at+jwt":
        return
    if kind == "id" or any(name in token.claims for name in _OF_ID_TOKENS):
        raise invalid("the token is an ID token: send the access token")


def audiences(claims: Mapping[str, Any]) -> frozenset[str]:
    """The claim `aud`, one text or a list of texts. Raises TokenError."""
    named = claims.get("aud")
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise invalid("the token has no `aud`, or one that is not text")
    if not 0 < len(named) <= AUDIENCES_MAX:
        raise invalid(f"the token's `aud` is empty or names more than {AUDIENCES_MAX}")
    return frozenset(named)


def check_scopes(claims: Mapping[str, Any], required: tuple[str, ...]) -> None:
    """Raises TokenError(insufficient_scope) unless `scope` or `scp` holds all of `required`."""
    given = {scope for name in ("scope", "scp") for scope in _words(claims.get(name))}
    if not given.issuperset(required):
        raise TokenError("insufficient_scope", "the token lacks a scope that is required here")


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split(" ")
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate as Unix seconds; None when there is none."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"the token's `{name}` is no number")
    if not 0 <= value <= LAST_MOMENT:  # as it is: a long integer has no float
        raise invalid(f"the token's `{name}` is no time")
    return value
