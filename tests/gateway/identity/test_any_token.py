"""Whatever a well-signed token holds, it names a principal or is refused: nothing else comes of it."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edge.identity import TokenError
from gateway.sessions import Principal, session_id
from tests.gateway.identity.conftest import RESOURCE, Door
from tests.gateway.identity.minting import NOW, Mint

ANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_NUMBERS = st.integers() | st.integers(10**300, 10**400) | st.floats(allow_nan=False, allow_infinity=False)
_TEXTS = st.text(max_size=20) | st.sampled_from(
    ["gate", "alice", "JWT", "at+jwt", "RS256", "k1", "a b,c", RESOURCE]
)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.sampled_from([NOW, NOW + 100]) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=8,
)
_CLAIMS = st.dictionaries(
    st.sampled_from(
        [
            "aud",
            "sub",
            "exp",
            "nbf",
            "iat",
            "jti",
            "groups",
            "azp",
            "email",
            "typ",
            "scope",
            "nonce",
            "events",
        ]
    ),
    _JSON,
    max_size=4,
)
_HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "cty", "x5c"]), _JSON, max_size=2
)


async def _taken(door: Door, token: str) -> Principal | None:
    try:
        return await door.identity.verify(token, RESOURCE)
    except TokenError:
        return None


@ANY
@given(_CLAIMS, _HEADERS)
async def test_any_claims_and_headers_name_a_principal_or_are_refused(
    door: Door, mint: Mint, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    principal = await _taken(door, mint.signed(json.dumps(mint.claims() | claims), header))
    if principal is None:
        return
    texts = (principal.subject, principal.credential, principal.client_id, principal.email, *principal.groups)
    assert principal.subject
    assert principal.credential
    assert all(isinstance(text, str) and text.isprintable() and text.encode() is not None for text in texts)
    assert door.hands.now < principal.expires_at
    assert session_id("tools", principal, "")


@ANY
@given(st.binary(max_size=200), st.binary(max_size=200))
async def test_any_bytes_in_place_of_header_and_claims_are_refused(
    door: Door, mint: Mint, header: bytes, claims: bytes
) -> None:
    assert await _taken(door, mint.signed(claims)) is None
    assert await _taken(door, mint.signed(json.dumps(mint.claims()), header.decode("latin-1"))) is None


@ANY
@given(st.text(max_size=300))
async def test_any_text_in_place_of_a_token_is_refused(door: Door, text: str) -> None:
    assert await _taken(door, text) is None
