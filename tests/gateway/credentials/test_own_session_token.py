"""A connection whose upstream calls another one of ours: a session token for that one, in the caller's name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from gateway.edge.announce import Announcer
from gateway.edge.credentials import CredentialError, credential_for
from gateway.edge.credentials.own_session_token import OwnSession
from gateway.edge.tokens import SessionTokenIssuer, TokenDesk
from gateway.sessions import Principal
from gateway.settings import Connection, ConnectionKind, OwnSessionToken, SessionTokens
from schemas.kafka import KafkaAddress, ensure_topics
from tests.gateway.control.people import announcing
from tests.gateway.credentials.conftest import Clock
from tests.support.topics import acts

URL = "https://gate.example.com"
KINDS = {"tools": ConnectionKind.MCP, "prod": ConnectionKind.KUBERNETES}
CREDENTIAL = OwnSessionToken("prod")


@dataclass
class World:
    """A desk, and who may use `prod`: the group `ops`."""

    broker: str
    announcer: Announcer
    issuer: SessionTokenIssuer
    desk: TokenDesk
    injector: OwnSession
    clock: Clock

    async def whose(self, principal: Principal) -> Principal:
        """Whom the token that upstream gets names."""
        ((name, value),) = await self.injector.headers(principal, "the caller's own")
        assert name == b"authorization"
        return self.issuer.verify(value.removeprefix(b"Bearer ").decode())


@pytest.fixture
async def world(broker: str, clock: Clock) -> AsyncIterator[World]:
    kafka = KafkaAddress(broker, embedded=True)
    await ensure_topics(kafka)
    issuer = SessionTokenIssuer(SessionTokens(bytes(32), purpose_required=True), URL, KINDS)

    def may_use(principal: Principal, connection: str) -> bool:
        bound = principal.connection in ("", connection)
        return bound and connection == "prod" and "ops" in principal.groups

    async with announcing(kafka) as announcer:
        desk = TokenDesk(issuer, may_use, announcer)
        injector = OwnSession(CREDENTIAL, "tools", desk, clock)
        yield World(broker, announcer, issuer, desk, injector, clock)
        await injector.close()


def alice(**other: object) -> Principal:
    known = Principal(
        "https://id.example.com",
        f"alice-{uuid4()}",
        "jti-1",
        groups=("ops",),
        client_id="agent",
        expires_at=time.time() + 3_600,
    )
    return replace(known, **other)  # type: ignore[arg-type]


async def test_upstream_calls_the_other_connection_as_the_caller(world: World) -> None:
    caller = alice(purpose="why pods restart", connection="tools")
    named = await world.whose(caller)
    assert (named.issuer, named.subject, named.groups) == (caller.issuer, caller.subject, ("ops",))
    assert (named.connection, named.purpose, named.client_id) == ("prod", "why pods restart", "agent")
    assert named.credential != caller.credential
    assert 290 < named.expires_at - time.time() <= 300
    ((_, value),) = await world.injector.headers(caller, "the caller's own")
    assert b"the caller's own" not in value


async def test_each_token_given_is_on_the_record(world: World) -> None:
    caller = alice()
    named = await world.whose(caller)
    (act,) = await acts(world.broker, lambda act: act["actor_subject"] == caller.subject)
    assert act["action"] == "token.issue"
    assert (act["target"], act["outcome"], act["reason"]) == ("prod", "done", "called through tools")
    assert named.credential in act["detail"]
    assert '"through":"tools"' in act["detail"].replace(" ", "")


async def test_a_token_is_kept_until_late_in_its_life_and_for_one_credential_alone(world: World) -> None:
    caller = alice()
    first = await world.whose(caller)
    world.clock.now += 200
    assert (await world.whose(caller)).credential == first.credential
    narrow = replace(caller, credential="jti-2", groups=("ops", "small"))
    assert (await world.whose(narrow)).groups == ("ops", "small")
    world.clock.now += 50  # past four fifths: another one is asked for while this one is served
    async with asyncio.timeout(30):
        while (await world.whose(caller)).credential == first.credential:
            await asyncio.sleep(0.002)


async def test_a_token_ends_with_the_callers_own(world: World) -> None:
    ends = time.time() + 40
    assert (await world.whose(alice(expires_at=ends))).expires_at <= ends
    with pytest.raises(CredentialError, match="at its end"):
        await world.whose(alice(expires_at=time.time() - 1))


async def test_who_may_not_use_the_other_connection_gets_none(world: World) -> None:
    with pytest.raises(CredentialError, match="may not use the connection prod"):
        await world.whose(alice(groups=("dev",)))


async def test_nothing_is_given_that_cannot_be_recorded(world: World) -> None:
    await world.announcer.stop()
    with pytest.raises(CredentialError, match="could not be recorded"):
        await world.whose(alice())


def test_without_session_tokens_there_is_no_such_credential() -> None:
    connection = Connection("tools", credential=CREDENTIAL)
    for mode in ("none", "oidc"):
        with pytest.raises(ValueError, match=r"identity\.session_tokens"):
            credential_for(connection, mode)  # type: ignore[arg-type]
