"""A provider that is not ours: discovery, keys and a login of oidc-provider-mock, over real HTTP."""

import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from gateway.edge.identity import Identity, TokenError
from gateway.settings import IdentitySettings, Issuer
from tests.gateway.identity.provider import until
from tests.support.oidc_mock import oidc_mock

RESOURCE = "https://gate.example.com/mcp/tools"
CALLBACK = "http://127.0.0.1:1/callback"
PEOPLE = [
    {"sub": "alice", "groups": ["sre"], "email": "alice@example.com"},
    {"sub": "bob", "groups": ["dev", "on call"], "email": "bob@example.com"},
]


@pytest.fixture
async def issuer() -> AsyncIterator[str]:
    """The provider in a process of its own, with two people."""
    async with oidc_mock(PEOPLE) as url:
        yield url


async def logged_in(issuer: str, subject: str) -> str:
    """The ID token of a login, as a browser and a confidential client do it between them."""
    asked = {"response_type": "code", "client_id": "gate", "redirect_uri": CALLBACK, "scope": "openid email"}
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK}
    async with aiohttp.ClientSession() as browser:
        url = f"{issuer}/oauth2/authorize"
        async with browser.post(url, params=asked, data={"sub": subject}, allow_redirects=False) as page:
            code = parse_qs(urlsplit(page.headers["location"]).query)["code"][0]
        auth = {"Authorization": aiohttp.encode_basic_auth("gate", "secret")}
        async with browser.post(f"{issuer}/oauth2/token", data=form | {"code": code}, headers=auth) as answer:
            token: str = (await answer.json())["id_token"]
            return token


@pytest.fixture
async def identity(issuer: str) -> AsyncIterator[Identity]:
    """Trusts the provider; its access tokens are opaque, so its ID tokens are what is taken."""
    people = Issuer("people", issuer, audiences=("gate",), id_tokens=True, types=("JWT", ""))
    identity = Identity(IdentitySettings("oidc", "https://gate.example.com", (people,)))
    identity.start()
    await until(lambda: identity.ready)
    yield identity
    await identity.stop()


async def test_two_people_who_log_in_are_told_apart(identity: Identity, issuer: str) -> None:
    alice = await identity.verify(await logged_in(issuer, "alice"), RESOURCE)
    bob = await identity.verify(await logged_in(issuer, "bob"), RESOURCE)
    assert (alice.issuer, alice.subject, alice.groups) == (issuer, "alice", ("sre",))
    assert (bob.subject, bob.groups, bob.email) == ("bob", ("dev", "on call"), "bob@example.com")
    assert alice.credential != bob.credential


async def test_their_id_tokens_are_refused_where_they_are_not_allowed(issuer: str) -> None:
    strict = Identity(IdentitySettings("oidc", "", (Issuer("people", issuer, audiences=("gate",)),)))
    strict.start()
    await until(lambda: strict.ready)
    with pytest.raises(TokenError, match=re.escape("ID token")):
        await strict.verify(await logged_in(issuer, "alice"), RESOURCE)
    await strict.stop()
