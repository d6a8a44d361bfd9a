"""What must hold with a real Keycloak. Each check is a sentence and what it does; AssertionError is its failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import jwt
from mcp.types import TextContent

from gateway.edge.identity import Identity, TokenError
from gateway.sessions import Principal
from tests.keycloak.admin import Admin
from tests.keycloak.console import browsers, by_oidc, by_saml, logins_of
from tests.keycloak.grants import by_password, of_service
from tests.keycloak.official_client import Memory, Person, official_client
from tests.keycloak.real_gateway import RealGateway
from tests.keycloak.realm import PEOPLE, password
from tests.keycloak.server import Keycloak
from tests.support.trail import read_frames

IN_TIME_S = 15.0


@dataclass(frozen=True)
class Bench:
    """What a check works with."""

    keycloak: Keycloak
    identity: Identity
    gateway: RealGateway
    http: aiohttp.ClientSession

    async def verify(self, token: str) -> Principal:
        """Whom the gateway takes the token's bearer for. Raises TokenError."""
        return await self.identity.verify(token, self.gateway.url)

    async def refused(self, token: str) -> str:
        """The reason for which the gateway refuses the token."""
        try:
            principal = await self.verify(token)
        except TokenError as error:
            return error.reason_code
        raise AssertionError(f"the token was taken, for {principal.subject}")


Check = Callable[[Bench], Awaitable[None]]


async def people_have_their_groups(bench: Bench) -> None:
    """Two people of different groups are told apart, with client id and e-mail address."""
    subjects = set()
    for person, group in PEOPLE.items():
        principal = await bench.verify(await by_password(bench.http, bench.keycloak, person))
        assert principal.issuer == bench.keycloak.issuer
        assert (principal.groups, principal.client_id) == ((group,), "agent")
        assert principal.email == f"{person}@example.com"
        subjects.add(principal.subject)
    assert len(subjects) == len(PEOPLE)


async def service_accounts_have_their_client(bench: Bench) -> None:
    """A service account logs in by client credentials."""
    principal = await bench.verify(await of_service(bench.http, bench.keycloak))
    assert (principal.client_id, principal.groups, principal.email) == ("nightly", (), "")


async def tokens_for_others_are_refused(bench: Bench) -> None:
    """A token without our audience, an ID token and a refresh token are refused."""
    assert (
        await bench.refused(await by_password(bench.http, bench.keycloak, "alice", "stranger"))
        == "invalid_token"
    )
    for kind in ("id_token", "refresh_token"):
        token = await by_password(bench.http, bench.keycloak, "alice", kind=kind)
        assert await bench.refused(token) == "invalid_token", kind


async def keys_rotate(bench: Bench) -> None:
    """A new signing key is taken at its first use; tokens of a removed one are refused in time."""
    admin = Admin(bench.keycloak, bench.http)
    old = await by_password(bench.http, bench.keycloak, "alice")
    old_key = jwt.get_unverified_header(old)["kid"]
    await admin.add_signing_key("rotated", priority=200)
    new = await by_password(bench.http, bench.keycloak, "alice")
    assert jwt.get_unverified_header(new)["kid"] != old_key
    assert (await bench.verify(new)).groups == ("sre",)
    assert (await bench.verify(old)).groups == ("sre",), "the old key still verifies"
    await admin.remove_signing_key(old_key)
    async with asyncio.timeout(IN_TIME_S):
        while not await _is_refused(bench, old):
            await asyncio.sleep(0.1)
    assert (await bench.verify(new)).groups == ("sre",)


async def _is_refused(bench: Bench, token: str) -> bool:
    try:
        await bench.verify(token)
    except TokenError:
        return True
    return False


async def the_gateway_says_where_tokens_are_given(bench: Bench) -> None:
    """Without a token the gateway answers 401 and names its metadata, which names this Keycloak."""
    async with bench.http.post(bench.gateway.url, json={}) as answer:
        assert answer.status == 401
        challenge = answer.headers["www-authenticate"]
    async with bench.http.get(challenge.split('resource_metadata="')[1].split('"')[0]) as answer:
        document = await answer.json()
    assert document["resource"] == bench.gateway.url
    assert document["authorization_servers"] == [bench.keycloak.issuer]


async def the_official_client_finds_its_way(bench: Bench) -> None:
    """The official MCP client, given the gateway's URL only, registers, logs its person in once, and calls a tool."""
    await Admin(bench.keycloak, bench.http).let_clients_register()
    memory, alice = Memory(), Person("alice", password("alice"))
    for _ in ("logs in", "comes again"):
        async with official_client(bench.gateway.url, alice, memory) as client:
            result = await client.call_tool("add", {"a": 40, "b": 2})
        assert not result.is_error
        assert isinstance(result.content[0], TextContent)
        assert result.content[0].text == "42"
    assert alice.logins == 1
    await _is_on_record(bench, memory)


async def _is_on_record(bench: Bench, memory: Memory) -> None:
    """The trail says who called, by which client, and holds nothing of the token."""
    assert memory.client is not None
    assert memory.tokens is not None
    frames = [recorded.frame for recorded in await read_frames(bench.gateway.bootstrap)]
    calls = [frame for frame in frames if frame["tool"] == "add" and frame["client_id"]]
    assert calls
    for frame in calls:
        assert frame["principal_issuer"] == bench.keycloak.issuer
        assert list(frame["principal_groups"]) == ["sre"]
        assert frame["client_id"] == memory.client.client_id
    signature = memory.tokens.access_token.rpartition(".")[2]
    assert signature not in repr(frames)


async def a_person_of_another_group_is_turned_away(bench: Bench) -> None:
    """A person who logs in the same way, and is not of the connection's group, gets no answer from upstream."""
    token = await by_password(bench.http, bench.keycloak, "bob")
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with bench.http.post(bench.gateway.url, json=call, headers=headers) as answer:
        assert answer.status == 403, await answer.text()
    frames = [recorded.frame for recorded in await read_frames(bench.gateway.bootstrap)]
    assert any(frame["reason_code"] == "connection_not_allowed" for frame in frames)


async def people_log_into_the_console_by_oidc(bench: Bench) -> None:
    """Alice and Bob log into the console's pages by OIDC; only Alice's group may look at what went on."""
    async with browsers() as http:
        for person, status in (("alice", 200), ("bob", 403)):
            inside = await by_oidc(http, bench.gateway.console, person)
            page = await inside.get("/policy")
            assert page.status == status, page.text
            assert "Alice Example" in page.text or person == "bob"


async def people_log_into_the_console_by_saml(bench: Bench) -> None:
    """They do so by SAML too, and are the same people: a response is good once, and in no other browser."""
    async with browsers() as http:
        for person, status in (("alice", 200), ("bob", 403)):
            inside, response = await by_saml(http, bench.gateway.console, person)
            assert (await inside.get("/policy")).status == status
            again = await inside.post("/saml/acs", response, bench.keycloak.url)
            assert again.status == 403, again.text
            assert "used already" in again.text
    assert await logins_of(bench.gateway.bootstrap) == {"oidc", "saml"}


CHECKS: tuple[Check, ...] = (
    people_have_their_groups,
    service_accounts_have_their_client,
    tokens_for_others_are_refused,
    people_log_into_the_console_by_oidc,
    people_log_into_the_console_by_saml,  # before its key is another one
    keys_rotate,
    the_gateway_says_where_tokens_are_given,
    the_official_client_finds_its_way,
    a_person_of_another_group_is_turned_away,
)
