"""Where the token stands on a request, how often it is looked at, what the client is told (ABUSE 15, 44, 49, 60)."""

import base64
import json
import time
from pathlib import Path

import pytest

from gateway.edge.identity import Identity, UnidentifiedError, protected_resources
from gateway.edge.identity.seen import TOKENS_MAX
from gateway.edge.identity.trusted import TokenError
from gateway.sessions import Principal, session_id
from gateway.settings import ConnectionKind, IdentitySettings, Issuer
from tests.gateway.identity.conftest import PUBLIC_URL, RESOURCE, Door, Open
from tests.gateway.identity.minting import NOW, Mint, b64
from tests.gateway.identity.provider import ProviderServer

METADATA_URL = f"{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp/tools"


async def refusal_of(door: Door, headers: list[tuple[bytes, bytes]], query: str = "") -> UnidentifiedError:
    with pytest.raises(UnidentifiedError) as caught:
        await door.identify(headers, query=query)
    return caught.value


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer ")],
        [(b"authorization", b"Basic YWxpY2U6cGFzcw==")],
        [(b"authorization", b"DPoP abc")],
        [(b"x-access-token", b"abc"), (b"cookie", b"access_token=abc")],
    ],
    ids=repr,
)
async def test_without_a_bearer_token_the_client_is_told_where_to_get_one(
    door: Door, headers: list[tuple[bytes, bytes]]
) -> None:
    refusal = await refusal_of(door, headers)
    assert (refusal.reason_code, refusal.status) == ("unauthenticated", 401)
    assert refusal.challenge == f'Bearer resource_metadata="{METADATA_URL}"'


async def test_a_token_that_does_not_count_is_told_so(door: Door, mint: Mint) -> None:
    door.hands.now = NOW + 1000
    refusal = await door.refused(mint.token())
    assert (refusal.reason_code, refusal.status) == ("token_expired", 401)
    assert refusal.challenge == (
        f'Bearer resource_metadata="{METADATA_URL}", error="invalid_token", '
        'error_description="the token has expired: get a new one"'
    )


async def test_nothing_of_a_token_is_in_what_the_client_is_told(door: Door, mint: Mint) -> None:
    for text in ('quote" injected="1', "line\r\nSet-Cookie: a=b", "é", "iss-secret"):
        refusal = await door.refused(mint.token({"typ": text}, iss=text, aud=text, jti=text))
        assert text not in refusal.challenge + refusal.detail + str(refusal)
        assert refusal.challenge.isprintable()


async def test_abuse_15_two_authorization_headers_are_refused(door: Door, mint: Mint) -> None:
    header = (b"authorization", f"Bearer {mint.token()}".encode())
    other = (b"authorization", b"Basic YWxpY2U6cGFzcw==")
    for headers in ([header, header], [header, other], [other, header]):
        assert (await refusal_of(door, headers)).reason_code == "invalid_token"


@pytest.mark.parametrize(
    "query",
    [
        "access_token={}",
        "a=1&access_token={}",
        "Access_Token={}",
        "access%5Ftoken={}",
        "%61ccess_token={}",
        "a=1;access_token={}",
        "access_token",
        "+access_token={}",
    ],
)
async def test_abuse_44_a_token_in_the_query_string_is_refused(door: Door, mint: Mint, query: str) -> None:
    token = mint.token()
    for headers in ([], [(b"authorization", f"Bearer {token}".encode())]):
        refusal = await refusal_of(door, headers, query.format(token))
        assert (refusal.reason_code, refusal.status) == ("invalid_token", 401)
        assert token not in refusal.detail + refusal.challenge


async def test_other_parameters_of_the_query_are_nobodys_business(door: Door, mint: Mint) -> None:
    headers = [(b"authorization", f"bearer  {mint.token()}".encode())]
    assert (await door.identify(headers, query="q=access%20tokens&x_access_token=1")).subject == "alice"


def _spellings(token: str) -> list[str]:
    """The token with padding at each part, and with unused bits set in the signature's last character."""
    header, claims, signature = token.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    decoded = base64.urlsafe_b64decode(signature + "==")
    twins = [
        s for c in alphabet if (s := signature[:-1] + c) and base64.urlsafe_b64decode(s + "==") == decoded
    ]
    padded = [
        f"{header}=.{claims}.{signature}",
        f"{header}.{claims}==.{signature}",
        f"{token}=",
        f"{token}==",
    ]
    return padded + [f"{header}.{claims}.{twin}" for twin in twins]


async def test_abuse_49_a_padded_token_is_the_same_identity_and_the_same_entry(
    door: Door, mint: Mint
) -> None:
    token = mint.token()
    known = await door.let_in(token)
    spellings = _spellings(token)
    assert len(spellings) == 4 + 16
    for spelling in spellings:
        principal = await door.let_in(spelling)
        assert principal is known
        assert session_id("tools", principal, "") == session_id("tools", known, "")
    assert len(door.identity._seen._seen) == 1


async def test_abuse_49_a_padded_token_that_comes_first_is_no_other_one(door: Door, mint: Mint) -> None:
    known = await door.let_in(mint.token() + "==")
    assert await door.let_in(mint.token()) is known
    for odd in ("===", "=A", "%3D", "\n", " x"):
        assert (await door.refused(mint.token() + odd)).reason_code == "invalid_token"


async def test_a_token_seen_before_costs_microseconds(door: Door, mint: Mint) -> None:
    headers = [(f"x-header-{n}".encode(), b"value") for n in range(12)]
    headers.append((b"authorization", f"Bearer {mint.token(padding='x' * 700)}".encode()))
    await door.identify(headers)
    best = min([await _one_round(door.identity, headers) for _ in range(20)])
    assert best < 10e-6, "5 µs on an idle machine"


async def _one_round(identity: Identity, headers: list[tuple[bytes, bytes]]) -> float:
    began = time.perf_counter()
    for _ in range(500):
        await identity.identify(headers, "", RESOURCE)
    return (time.perf_counter() - began) / 500


async def test_what_is_remembered_is_bounded_and_holds_no_token(door: Door, mint: Mint) -> None:
    first = await door.let_in(mint.token())
    seen = door.identity._seen
    entry = next(iter(seen._seen.values()))
    for n in range(TOKENS_MAX + 10):
        seen.add(b"%d" % n, entry)
    assert len(seen._seen) == TOKENS_MAX
    assert all(len(key) == 32 for key in seen._seen)
    assert await door.let_in(mint.token()) == first


async def test_nobody_is_let_in_where_no_issuer_is_set(mint: Mint) -> None:
    door = Door(Identity(IdentitySettings("oidc", PUBLIC_URL)))
    assert (await door.refused(mint.token())).reason_code == "invalid_token"


class OwnTokens:
    """An issuer inside the process: takes one token, for one connection."""

    issuer = "https://gate.example.com"

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.verified = 0

    def verify(self, token: str) -> Principal:
        self.verified += 1
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        if claims["sub"] != "alice":
            raise TokenError("invalid_token", "not ours")
        return Principal(
            self.issuer, "alice", "s-1", purpose="on call", connection=self.connection, expires_at=NOW + 60
        )


def _own_token(subject: str) -> str:
    said = json.dumps({"iss": OwnTokens.issuer, "sub": subject}).encode()
    return ".".join(map(b64, (b'{"alg":"EdDSA"}', said, b"signed")))


async def test_our_own_tokens_go_to_their_own_verifier(open_door: Open) -> None:
    own = OwnTokens("")
    door = await open_door(extra=own)
    assert (await door.let_in(_own_token("alice"))).purpose == "on call"
    assert (await door.let_in(_own_token("alice"), "https://gate.example.com/mcp/other")).subject == "alice"
    assert own.verified == 1
    assert (await door.refused(_own_token("bob"))).reason_code == "invalid_token"
    door.hands.now = NOW + 60
    assert (await door.refused(_own_token("alice"))).reason_code == "token_expired"


async def test_abuse_61_our_own_token_for_one_connection_is_refused_on_another(open_door: Open) -> None:
    door = await open_door(extra=OwnTokens("tools"))
    for _ in ("new", "seen before"):
        assert (await door.let_in(_own_token("alice"))).connection == "tools"
        assert (
            await door.refused(_own_token("alice"), f"{PUBLIC_URL}/mcp/other")
        ).reason_code == "invalid_token"


async def test_a_token_from_elsewhere_than_a_header_is_judged_alike(door: Door, mint: Mint) -> None:
    assert (await door.identity.verify(mint.token(), RESOURCE)).subject == "alice"
    for text in ("é", "", "\ud800", "a.b"):
        with pytest.raises(TokenError):
            await door.identity.verify(text, RESOURCE)


def test_each_connection_has_a_document_that_says_who_gives_tokens() -> None:
    people = Issuer("people", "https://idp.example.com/realms/x", scopes_required=("mcp:tools",))
    from_file = Issuer("cluster", "https://kubernetes.default.svc", jwks_file=Path("/keys.json"))
    settings = IdentitySettings("oidc", f"{PUBLIC_URL}/", (people, from_file))
    kinds = {"tools": ConnectionKind.MCP, "git": ConnectionKind.HTTP, "prod": ConnectionKind.KUBERNETES}
    documents = protected_resources(settings, kinds)
    root = "/.well-known/oauth-protected-resource"
    assert documents.keys() == {root, f"{root}/mcp/tools", f"{root}/http/git", f"{root}/k8s/prod"}
    assert json.loads(documents[f"{root}/mcp/tools"]) == {
        "resource": RESOURCE,
        "authorization_servers": ["https://idp.example.com/realms/x"],
        "bearer_methods_supported": ["header"],
        "resource_name": "tools",
        "scopes_supported": ["mcp:tools"],
    }
    assert json.loads(documents[root])["resource"] == PUBLIC_URL
    assert json.loads(documents[f"{root}/k8s/prod"])["resource"] == f"{PUBLIC_URL}/k8s/prod"
    assert protected_resources(IdentitySettings(), kinds) == {}


def test_a_gateway_under_a_path_has_its_documents_before_that_path() -> None:
    settings = IdentitySettings("oidc", "https://example.com/gate", (Issuer("a", "https://a.example"),))
    documents = protected_resources(settings, {"tools": ConnectionKind.MCP})
    root = "/.well-known/oauth-protected-resource"
    assert documents.keys() == {root, f"{root}/gate", f"{root}/gate/mcp/tools"}
    assert json.loads(documents[f"{root}/gate/mcp/tools"])["resource"] == "https://example.com/gate/mcp/tools"


async def test_the_providers_see_nothing_of_a_request(
    door: Door, mint: Mint, provider: ProviderServer
) -> None:
    asked = provider.asked.total()
    for n in range(50):
        await door.let_in(mint.token(jti=f"t-{n}"))
    assert provider.asked.total() == asked
