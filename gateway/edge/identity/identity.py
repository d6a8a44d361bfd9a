"""From a request to a principal."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import jwt

from gateway.edge.identity.bearer import bearer_token
from gateway.edge.identity.challenge import ReasonCode, UnidentifiedError, challenge
from gateway.edge.identity.claims import (
    Validity,
    audiences,
    check_kind,
    check_moment,
    check_scopes,
    validity,
)
from gateway.edge.identity.compact import CompactToken, invalid, parse
from gateway.edge.identity.keys import ALGORITHMS
from gateway.edge.identity.mapping import principal_of
from gateway.edge.identity.metadata import resources_named, scopes_of
from gateway.edge.identity.provider import Provider
from gateway.edge.identity.seen import SeenToken, SeenTokens
from gateway.edge.identity.sources import source_of
from gateway.edge.identity.trusted import TokenError, TrustedIssuer
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import IdentitySettings, Issuer

_JWS = jwt.PyJWS()


class Identity:
    """Tells who calls, by the tokens of several issuers. Refuses everyone where no issuer is set.

    `clock` gives Unix seconds, `monotonic` seconds that never jump. Raises ValueError or FetchError for settings
    that cannot be kept.
    """

    def __init__(
        self,
        settings: IdentitySettings,
        extra: TrustedIssuer | None = None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._extra, self._clock = settings, extra, clock
        self._scopes = scopes_of(settings)
        self._seen = SeenTokens(clock)
        _check(settings, extra)
        make = partial(Provider, changed=self._seen.clear, monotonic=monotonic)
        self._providers = {issuer.issuer: make(issuer, source_of(issuer)) for issuer in settings.issuers}

    def start(self) -> None:
        """Begins to read the issuers' keys, in the running loop."""
        for provider in self._providers.values():
            provider.start()

    async def stop(self) -> None:
        """Ends all reading of keys."""
        await asyncio.gather(*(provider.stop() for provider in self._providers.values()))

    @property
    def ready(self) -> bool:
        """Whether the keys of every issuer have been had."""
        return all(provider.ready for provider in self._providers.values())

    @property
    def fault(self) -> str:
        """What is wrong with the issuers' keys now; '' when nothing is."""
        return "; ".join(provider.fault for provider in self._providers.values() if provider.fault)

    async def identify(self, headers: Headers, query: str, resource: str) -> Principal:
        """Who sends a request for `resource`, the canonical URL of a connection. Raises UnidentifiedError."""
        try:
            if token := bearer_token(headers, query):
                return self._seen.find(token, resource) or await self._verified(token, resource)
        except TokenError as error:
            raise self._unidentified(error.reason_code, error.detail, resource) from None
        raise self._unidentified(
            "unauthenticated", "send a bearer token in the Authorization header", resource
        )

    async def verify(self, token: str, resource: str) -> Principal:
        """Whom a token names that came in another way than a header. Raises TokenError."""
        try:
            raw = token.encode("ascii")
        except UnicodeEncodeError:
            raise invalid("the token is not a signed JWT in compact form") from None
        return self._seen.find(raw, resource) or await self._verified(raw, resource)

    async def _verified(self, raw: bytes, resource: str) -> Principal:
        token = parse(raw)
        canonical = token.text.encode("ascii")
        if canonical != raw and (known := self._seen.find(canonical, resource)):
            return known
        seen = self._own(token) or await self._foreign(token)
        principal = self._seen.check(seen, resource)
        self._seen.add(canonical, seen)
        return principal

    def _own(self, token: CompactToken) -> SeenToken | None:
        """A token of our own; it may be bound to one connection."""
        if self._extra is None or token.issuer != self._extra.issuer:
            return None
        principal = self._extra.verify(token.text)
        bound = resources_named(self._settings, principal.connection) if principal.connection else None
        return SeenToken(principal, Validity(0.0, principal.expires_at), bound, None)

    async def _foreign(self, token: CompactToken) -> SeenToken:
        """A token of a provider. What costs least is looked at first; nothing is believed before the signature."""
        provider = self._providers.get(token.issuer)
        if provider is None:
            raise invalid("the token's issuer is none that this gateway trusts")
        issuer = provider.issuer
        if token.algorithm not in issuer.algorithms:
            raise invalid("the token is signed by an algorithm that its issuer must not use")
        _verify_signature(token, await _key(provider, token))
        check_kind(token, issuer)
        valid = validity(token.claims, issuer)
        check_moment(valid, self._clock())
        resources = _resources(token, issuer)
        check_scopes(token.claims, issuer.scopes_required)
        principal = principal_of(token, issuer, valid.until)
        return SeenToken(principal, valid, resources, provider)

    def _unidentified(self, reason_code: ReasonCode, detail: str, resource: str) -> UnidentifiedError:
        return UnidentifiedError(reason_code, detail, challenge(reason_code, detail, resource, self._scopes))


def _check(settings: IdentitySettings, extra: TrustedIssuer | None) -> None:
    names = [issuer.issuer for issuer in settings.issuers] + ([extra.issuer] if extra else [])
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"the issuer {twice.pop()} stands twice: give it once, with all its audiences")
    for issuer in settings.issuers:
        if unknown := set(issuer.algorithms) - ALGORITHMS:
            raise ValueError(
                f"the issuer {issuer.name} names algorithms that cannot be used: {sorted(unknown)}"
            )


async def _key(provider: Provider, token: CompactToken) -> jwt.PyJWK:
    """The key that the token names. Raises TokenError."""
    if provider.usable:
        key = await provider.key(token.key_id, token.algorithm)
        if key is not None:
            return key
    if not provider.usable or provider.failing:
        raise TokenError(
            "identity_unavailable", "the keys of the token's issuer cannot be had: try again later"
        )
    raise invalid("the token's issuer has no such key")


def _verify_signature(token: CompactToken, key: jwt.PyJWK) -> None:
    try:
        _JWS.decode_complete(token.text, key, algorithms=[token.algorithm])
    except jwt.PyJWTError:
        raise invalid("the token's signature is wrong") from None


def _resources(token: CompactToken, issuer: Issuer) -> frozenset[str] | None:
    """What the token may be used on; None when it names an audience of its issuer's settings. Raises TokenError."""
    named = audiences(token.claims)
    if not issuer.audiences:
        return named
    if named.isdisjoint(issuer.audiences):
        raise invalid("the token is for another audience")
    return None
