"""What the gateway makes of the tokens of the demo's provider, and where its login page may send a browser."""

import string
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from gateway.edge.identity import Identity, TokenError
from gateway.settings import IdentitySettings, Issuer
from sluicegate.demo.people.clients import ADDRESSES, is_loopback
from tests.demo.people import RESOURCE, Clock, Provider, people
from tests.gateway.identity.provider import until

OTHER = RESOURCE.replace("demo", "other")
HOSTS = (*ADDRESSES, "localhost")


@asynccontextmanager
async def identity_for(provider: Provider) -> AsyncIterator[Identity]:
    """A gateway's identity that trusts the provider as the demo's configuration does."""
    issuer = Issuer(name="people", issuer=provider.issuer, algorithms=("ES256",))
    identity = Identity(IdentitySettings("oidc", "http://127.0.0.1:8080", (issuer,)))
    identity.start()
    try:
        await until(lambda: identity.ready)
        yield identity
    finally:
        await identity.stop()


async def test_an_access_token_makes_a_principal_on_its_own_connection_alone(tmp_path: Path) -> None:
    async with people(tmp_path, Clock(time.time())) as provider, identity_for(provider) as identity:
        client = await provider.registered()
        code = (await provider.log_in(client, "bob", scope="openid"))["code"]
        given = (await provider.fetched(client, code)).json()
        principal = await identity.verify(given["access_token"], RESOURCE)
        assert (principal.subject, principal.groups) == ("bob", ("developers",))
        assert (principal.client_id, principal.email) == (client, "bob@shop.example")
        with pytest.raises(TokenError):
            await identity.verify(given["access_token"], OTHER)


@pytest.mark.parametrize("kind", ["refresh_token", "id_token"])
async def test_no_other_token_of_the_provider_opens_the_gateway(tmp_path: Path, kind: str) -> None:
    async with people(tmp_path, Clock(time.time())) as provider, identity_for(provider) as identity:
        client = await provider.registered()
        given = (
            await provider.fetched(client, (await provider.log_in(client, scope="openid"))["code"])
        ).json()
        with pytest.raises(TokenError):
            await identity.verify(given[kind], RESOURCE)


HOST_PIECES = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "evil.example",
    "0x7f.1",
    "127.1",
    "2130706433",
    "user",
    "80",
]
MARKS = [
    "http://",
    "https://",
    "//",
    "[",
    "]",
    "@",
    ":",
    "\\",
    "/",
    "?",
    "#",
    "%2f",
    "%40",
    "..",
    ".",
    "\t",
    " ",
    "\u2024",
]
ADDRESS = st.lists(st.sampled_from([*HOST_PIECES, *MARKS]), min_size=1, max_size=8)


@given(ADDRESS.map("".join) | st.text(string.printable, max_size=30))
def test_whatever_is_taken_for_loopback_is_that_to_others_too(uri: str) -> None:
    if is_loopback(uri):
        assert URL(uri).host in HOSTS
        assert httpx2.URL(uri).host in HOSTS
