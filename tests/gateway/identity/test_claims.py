"""What a well-signed token must say (ABUSE 40 to 43, 61)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.settings import ClaimMapping, Issuer
from tests.gateway.identity.conftest import PUBLIC_URL, RESOURCE, Door, Open
from tests.gateway.identity.minting import NOW, Mint, jwk, jwks, rsa_key
from tests.gateway.identity.provider import provider_server


@pytest.mark.parametrize(
    "audience",
    [
        "other",
        "gat",
        "gate2",
        "GATE",
        "gate ",
        "gate/",
        "",
        [],
        ["other"],
        [["gate"]],
        {"gate": 1},
        1,
        True,
        None,
    ],
    ids=repr,
)
async def test_abuse_40_a_wrong_or_missing_audience_is_refused(door: Door, mint: Mint, audience: Any) -> None:
    assert (await door.refused(mint.token(aud=audience))).reason_code == "invalid_token"


async def test_a_token_for_several_audiences_is_taken_for_ours(door: Door, mint: Mint) -> None:
    assert (await door.let_in(mint.token(aud=["other", "gate"]))).subject == "alice"


async def test_abuse_40_an_issuer_with_a_slash_or_other_case_is_another_one(door: Door, mint: Mint) -> None:
    for issuer in (
        f"{mint.issuer}/",
        mint.issuer.upper(),
        f" {mint.issuer}",
        f"{mint.issuer}#",
        "",
        None,
        [mint.issuer],
    ):
        refusal = await door.refused(mint.token(iss=issuer))
        assert (refusal.reason_code, "issuer" in refusal.detail) == ("invalid_token", True)


async def test_abuse_40_the_right_key_with_the_wrong_issuer_is_refused(open_door: Open, mint: Mint) -> None:
    async with provider_server() as second:
        second.publish(jwks(jwk(rsa_key(7), "k1")))
        door = await open_door(Issuer("second", second.issuer, audiences=("gate",)))
        crossed = Mint(second.issuer, "gate", mint.key)
        assert "signature" in (await door.refused(crossed.token())).detail
        assert (await door.let_in(Mint(second.issuer, "gate", rsa_key(7)).token())).issuer == second.issuer
        assert (await door.let_in(mint.token())).issuer == mint.issuer


async def test_abuse_61_without_audiences_a_token_must_name_the_resource_it_is_used_on(
    open_door: Open, mint: Mint
) -> None:
    door = await open_door(audiences=())
    token = mint.token(aud=RESOURCE)
    assert (await door.let_in(token)).subject == "alice"
    assert (await door.let_in(token)).subject == "alice"
    for resource in (RESOURCE + "2", RESOURCE[:-1], RESOURCE + "/", PUBLIC_URL + "/mcp/TOOLS"):
        for _ in ("new", "seen before"):
            refusal = await door.refused(token, resource)
            assert refusal.reason_code == "invalid_token"
            assert "/.well-known/oauth-protected-resource/" in refusal.challenge
        assert (
            await door.refused(mint.token(aud=RESOURCE, jti="t-2"), resource)
        ).reason_code == "invalid_token"
    assert (await door.refused(mint.token(aud="gate"))).reason_code == "invalid_token"


@pytest.mark.parametrize(
    "said",
    [{"nonce": "n"}, {"at_hash": "h"}, {"c_hash": "h"}, {"s_hash": "h"}, {"typ": "ID"}, {"typ": "id"}],
    ids=repr,
)
async def test_abuse_41_an_id_token_is_refused_unless_the_issuer_is_set_to_give_them(
    door: Door, open_door: Open, mint: Mint, said: dict[str, str]
) -> None:
    refusal = await door.refused(mint.token(**said))
    assert (refusal.reason_code, "ID token" in refusal.detail) == ("invalid_token", True)
    assert (await (await open_door(id_tokens=True)).let_in(mint.token(**said))).subject == "alice"


@pytest.mark.parametrize(
    "said", [{"typ": "Refresh"}, {"typ": "Offline"}, {"typ": "Logout"}, {"events": {}}], ids=repr
)
async def test_abuse_41_tokens_that_never_grant_access_are_refused(
    open_door: Open, mint: Mint, said: dict[str, Any]
) -> None:
    assert (
        await (await open_door(id_tokens=True)).refused(mint.token(**said))
    ).reason_code == "invalid_token"


async def test_abuse_41_the_header_typ_must_be_one_that_the_issuer_gives(
    door: Door, open_door: Open, mint: Mint
) -> None:
    for taken in ("JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", ""):
        assert (await door.let_in(mint.token({"typ": taken}))).subject == "alice"
    for odd in ("logout+jwt", "secevent+jwt", "dpop+jwt", "id_token", "JWT ", ["JWT"], 1, None):
        assert (await door.refused(mint.token({"typ": odd}))).reason_code == "invalid_token"
    strict = await open_door(types=("at+jwt",))
    assert (await strict.refused(mint.token())).reason_code == "invalid_token"
    assert (await strict.let_in(mint.token({"typ": "at+jwt"}))).subject == "alice"


@pytest.mark.parametrize(
    ("claims", "now", "outcome"),
    [
        ({"exp": NOW + 300}, NOW + 329.999, ""),
        ({"exp": NOW + 300}, NOW + 330, "token_expired"),
        ({"exp": NOW + 300}, NOW + 331, "token_expired"),
        ({"exp": NOW + 299.5}, NOW + 329.4, ""),
        ({"exp": NOW + 299.5}, NOW + 329.5, "token_expired"),
        ({"nbf": NOW + 60}, NOW + 29.999, "invalid_token"),
        ({"nbf": NOW + 60}, NOW + 30, ""),
        ({"nbf": NOW + 60}, NOW + 31, ""),
        ({"iat": NOW + 60}, NOW + 29.999, "invalid_token"),
        ({"iat": NOW + 60}, NOW + 30, ""),
        ({"iat": NOW + 0.5}, NOW - 29.5, ""),
    ],
    ids=repr,
)
async def test_abuse_42_times_count_to_the_second_with_the_leeway(
    door: Door, mint: Mint, claims: dict[str, Any], now: float, outcome: str
) -> None:
    door.hands.now = now
    for _ in ("new", "seen before"):
        if outcome:
            assert (await door.refused(mint.token(**claims))).reason_code == outcome
        else:
            assert (await door.let_in(mint.token(**claims))).subject == "alice"


async def test_abuse_42_a_token_seen_before_ends_at_the_same_moment(door: Door, mint: Mint) -> None:
    token = mint.token()
    await door.let_in(token)
    door.hands.now = NOW + 329.999
    assert (await door.let_in(token)).expires_at == NOW + 330
    door.hands.now = NOW + 330
    assert (await door.refused(token)).reason_code == "token_expired"
    door.hands.now = NOW - 31  # a clock set back
    assert (await door.refused(token)).reason_code == "invalid_token"


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    [
        '"1800000300"',
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "1e18",
        "-1",
        "253402300800",
        "1" + "0" * 400,
        "1" + "0" * 5000,
        '"\\u0031"',
    ],
    ids=lambda value: value[:20],
)
async def test_abuse_42_a_time_that_is_no_sane_number_is_refused(
    door: Door, mint: Mint, name: str, value: str
) -> None:
    claims = json.dumps(mint.claims(**{name: None}))
    text = claims[:-1] + f', "{name}": {value}}}'
    assert (await door.refused(mint.signed(text))).reason_code == "invalid_token"


@pytest.mark.parametrize("name", ["exp", "sub", "aud", "iss"])
async def test_a_token_without_a_claim_that_is_needed_is_refused(door: Door, mint: Mint, name: str) -> None:
    assert (await door.refused(mint.token(**{name: None}))).reason_code == "invalid_token"


async def test_a_token_without_an_id_is_told_from_others_by_its_issue_time(door: Door, mint: Mint) -> None:
    first = (await door.let_in(mint.token(jti=None))).credential
    assert first.startswith(f"iat:{NOW}:")
    assert (await door.let_in(mint.token(jti=None))).credential == first
    assert (await door.let_in(mint.token(jti=None, sub="bob"))).credential != first
    assert (await door.refused(mint.token(jti=None, iat=None))).reason_code == "invalid_token"
    for odd in (1, ["t"], "t\0", "t" * 1025):
        assert (await door.refused(mint.token(jti=odd))).reason_code == "invalid_token"


async def test_abuse_61_a_missing_scope_is_403_and_names_the_scope(open_door: Open, mint: Mint) -> None:
    door = await open_door(scopes_required=("mcp:tools", "mcp:read"))
    for claims in (
        {},
        {"scope": "mcp:tools"},
        {"scope": "mcp:toolsmcp:read"},
        {"scope": 1},
        {"scp": [["mcp:tools"]]},
    ):
        refusal = await door.refused(mint.token(**claims))
        assert (refusal.reason_code, refusal.status) == ("insufficient_scope", 403)
        assert 'error="insufficient_scope"' in refusal.challenge
        assert 'scope="mcp:tools mcp:read"' in refusal.challenge
    for claims in ({"scope": "openid mcp:read mcp:tools"}, {"scp": ["mcp:read", "mcp:tools"]}):
        assert (await door.let_in(mint.token(**claims))).subject == "alice"


@pytest.mark.parametrize(
    ("mapping", "claims", "groups"),
    [
        ({}, {"groups": "sre,dev ops"}, ("sre", "dev", "ops")),
        ({}, {"groups": ["on call", "dev", "dev"]}, ("on call", "dev")),
        ({}, {"groups": []}, ()),
        ({}, {"groups": None}, ()),
        ({"groups": "realm_access.roles"}, {"realm_access": {"roles": ["admin"]}}, ("admin",)),
        ({"groups": "realm_access.roles"}, {"realm_access": "roles"}, ()),
        ({"groups": "https://example.com/groups"}, {"https://example.com/groups": "a b"}, ("a", "b")),
        ({"groups": "access.my.app.roles"}, {"access": {"my.app": {"roles": ["r"]}}}, ("r",)),
        ({"groups": "a.b"}, {"a.b": "whole", "a": {"b": "nested"}}, ("whole",)),
        ({"groups": ""}, {}, ()),
    ],
    ids=repr,
)
async def test_groups_come_from_where_the_mapping_says(
    open_door: Open, mint: Mint, mapping: dict[str, str], claims: dict[str, Any], groups: tuple[str, ...]
) -> None:
    door = await open_door(claims=ClaimMapping(**mapping))
    assert (await door.let_in(mint.token(**claims))).groups == groups


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["sre", 1]},
        {"groups": [["sre"]]},
        {"groups": {"sre": True}},
        {"groups": 1},
        {"groups": [""]},
        {"groups": ["sre\u202e"]},
        {"groups": ["g" * 257]},
        {"groups": [f"{n}" for n in range(1001)]},
        {"sub": "alice\0root"},
        {"sub": "alice\n"},
        {"sub": "\ud800"},
        {"sub": ""},
        {"sub": 1},
        {"sub": ["alice"]},
        {"sub": "a" * 1025},
        {"azp": {"id": 1}},
        {"email": ["alice@example.com"]},
    ],
    ids=lambda claims: repr(claims)[:40],
)
async def test_a_name_that_could_be_misread_is_refused(
    door: Door, mint: Mint, claims: dict[str, Any]
) -> None:
    assert (await door.refused(mint.token(**claims))).reason_code == "invalid_token"


async def test_two_issuers_may_not_have_one_name(open_door: Open, issuer: Issuer) -> None:
    with pytest.raises(ValueError, match="stands twice"):
        await open_door(replace(issuer, name="again"))
