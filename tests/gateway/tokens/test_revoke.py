"""A session token taken back is good for nothing, everywhere, at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from gateway.edge.announce import stamp
from gateway.edge.identity import TokenError
from gateway.edge.tokens import SessionTokenIssuer, Sweeper
from gateway.sessions import Principal
from gateway.settings import SessionTokens
from schemas.control import principal_blocked, token_revoked
from schemas.kafka import KafkaAddress
from tests.gateway.control.people import reading, until
from tests.gateway.tokens.conftest import PUBLIC_URL, SEED, Desk, open_desk
from tests.support.tcp_proxy import TcpProxy


async def test_who_has_a_token_can_take_it_back_on_every_replica(desk: Desk) -> None:
    token = await desk.given()
    principal = desk.issuer.verify(token)
    async with reading(desk.kafka) as other_replica:
        answer = await desk.http.post("/token/revoke", data={"token": token})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["cache-control"] == "no-store"
        await until(lambda: other_replica.revoked(principal.credential), 2.0)
        assert other_replica.killed("any session", principal) == "its token was revoked"
    (record,) = [r for r in desk.control.records() if r["token_id"] == principal.credential]
    assert record["expires_at"] == int(principal.expires_at * 1e6)
    told = [(r["action"], r["outcome"]) for r in await desk.recorded()]
    assert told == [("token.issue", "done"), ("token.revoke", "asked"), ("token.revoke", "done")]
    assert (await desk.http.post("/token/revoke", data={"token": token})).status_code == 200


@pytest.mark.parametrize("token", ["junk", "a.b.c"])
async def test_a_token_that_is_good_for_nothing_is_answered_as_taken_back(desk: Desk, token: str) -> None:
    assert (await desk.http.post("/token/revoke", data={"token": token})).status_code == 200


async def test_a_request_without_a_token_is_refused(desk: Desk) -> None:
    answer = await desk.http.post("/token/revoke", data={"token_type_hint": "access_token"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_g3_without_the_trail_nothing_is_taken_back_and_the_answer_says_so(
    network: TcpProxy, kafka: KafkaAddress, tmp_path: Path
) -> None:
    async with open_desk(kafka, tmp_path, deadline_seconds=0.5) as desk:
        token = await desk.given()
        network.stall()
        answer = await desk.http.post("/token/revoke", data={"token": token})
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        network.release()


async def test_revocations_of_tokens_that_expired_long_ago_are_cleared_away(desk: Desk) -> None:
    now = time.time()
    old = token_revoked(
        stamp(), f"old-{desk.subject}", by="x", reason="", expires_at=int((now - 7_200) * 1e6)
    )
    young = token_revoked(
        stamp(), f"young-{desk.subject}", by="x", reason="", expires_at=int((now - 9) * 1e6)
    )
    for record in (old, young):
        assert await desk.announcer.control(record["target"], record)
    await until(lambda: young["target"] in {r["target"] for r in desk.control.expired(now)})
    assert await Sweeper(desk.control, desk.announcer).sweep() >= 1
    await until(lambda: old["target"] not in {r["target"] for r in desk.control.expired(now)})
    assert young["target"] in {r["target"] for r in desk.control.expired(now)}


async def test_answers_to_findings_are_cleared_away_and_blocks_by_a_person_stay(desk: Desk) -> None:
    now = time.time()
    ended = int((now - 7_200) * 1e6)
    over: dict[str, Any] = {"by": "x", "reason": "", "expires_at": ended}
    answer = principal_blocked(stamp(), "", f"a-{desk.subject}", cause=str(uuid4()), **over)
    person = principal_blocked(stamp(), "", f"p-{desk.subject}", **over)
    for record in (answer, person):
        assert await desk.announcer.control(record["target"], record)
    await until(lambda: person["target"] in {r["target"] for r in desk.control.expired(now)})
    assert await Sweeper(desk.control, desk.announcer).sweep() >= 1
    await until(lambda: answer["target"] not in {r["target"] for r in desk.control.expired(now)})
    assert person["target"] in {r["target"] for r in desk.control.expired(now)}


ALICE = Principal("https://id.example.com", "alice", "t-1", ("sre",))


def test_every_replica_with_the_key_takes_the_token_and_nobody_without() -> None:
    one, two = (SessionTokenIssuer(SessionTokens(SEED), PUBLIC_URL) for _ in range(2))
    other = SessionTokenIssuer(SessionTokens(bytes(32)), PUBLIC_URL)
    token = one.give(ALICE, "demo", "").token
    assert two.verify(token).subject == "alice"
    assert one.key_id == two.key_id != other.key_id
    with pytest.raises(TokenError, match="no session token"):
        other.verify(token)


def test_a_session_token_is_good_until_its_second_and_not_after() -> None:
    token = SessionTokenIssuer(SessionTokens(SEED, ttl_seconds=60), PUBLIC_URL, clock=lambda: 1_000.0)
    with pytest.raises(TokenError) as refusal:
        token.verify(token.give(ALICE, "demo", "").token)
    assert refusal.value.reason_code == "token_expired"


def test_a_token_that_shows_itself_shows_no_secret() -> None:
    issued = SessionTokenIssuer(SessionTokens(SEED), PUBLIC_URL).give(ALICE, "demo", "")
    assert issued.token not in repr(issued)
    assert issued.token_id in repr(issued)


def test_abuse_35_no_other_algorithm_makes_a_session_token() -> None:
    issuer = SessionTokenIssuer(SessionTokens(SEED), PUBLIC_URL)
    claims = jwt.decode(issuer.give(ALICE, "demo", "").token, options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, SEED, algorithm="HS256"),
        jwt.encode(claims, issuer.key_id.encode() * 2, algorithm="HS256"),
    ):
        with pytest.raises(TokenError):
            issuer.verify(forged)
