"""`/approvals` over HTTP: one's own and nobody else's, and asking for access; real tokens, topics and machine."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from gateway.edge.announce import Announcer, stamp
from gateway.edge.approvals import Approvals, approval_routes
from gateway.edge.control import Control
from gateway.edge.identity import Identity
from gateway.edge.tokens import SessionTokenIssuer
from gateway.sessions import Principal
from gateway.settings import AccessRequests, Connection, IdentitySettings, Issuer, SessionTokens
from schemas.control import principal_blocked
from tests.gateway.approvals.people import Office, asked, granted, held, until
from tests.gateway.control.people import announcing, reading
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.support.topics import acts

PUBLIC_URL = "https://gate.example.com"
PROVIDER = "https://id.example.com"
LENDING = AccessRequests(quorum=((("owners",), 1),), seconds_max=3_600, expires_seconds=60)
CONNECTIONS = (
    Connection("prod", access_requests=LENDING),
    Connection("staging", access_requests=LENDING),
    Connection("closed"),
)
WISH = {"connection": "prod", "reason": "the pager rang", "seconds": 600}


@dataclass
class Counter:
    """Where callers ask, and two who do: subjects that no other test knows."""

    office: Office
    approvals: Approvals
    announcer: Announcer
    control: Control
    issuer: SessionTokenIssuer
    http: httpx.AsyncClient
    mint: Mint
    subject: str

    @property
    def principal(self) -> Principal:
        """The one who asks."""
        return Principal(PROVIDER, self.subject, "t-1")

    def token(self, **claims: Any) -> dict[str, str]:
        """Headers with a token of the provider, for the connection prod."""
        now = int(time.time())
        usual = {"sub": self.subject, "iat": now, "exp": now + 3_600, "jti": str(uuid4())}
        return {"authorization": f"Bearer {self.mint.token(**{**usual, **claims})}"}

    async def get(self, path: str, **claims: Any) -> httpx.Response:
        """What the caller is told."""
        answer = await self.http.get(path, headers=self.token(**claims))
        assert answer.headers["cache-control"] == "no-store"
        return answer

    async def wish(self, **over: Any) -> httpx.Response:
        """Ask for access."""
        answer = await self.http.post("/approvals/access", json={**WISH, **over}, headers=self.token())
        assert answer.headers["cache-control"] == "no-store"
        return answer

    async def recorded(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """Outcome, target, reason and detail of what the caller did."""
        found = await acts(
            self.office.kafka.bootstrap, lambda record: record["actor_subject"] == self.subject
        )
        assert {(each["action"], each["actor_issuer"]) for each in found} <= {("access.ask", PROVIDER)}
        return [
            (each["outcome"], each["target"], each["reason"], json.loads(each["detail"])) for each in found
        ]


@pytest.fixture
async def counter(office: Office, tmp_path: Path) -> AsyncIterator[Counter]:
    """Routes whose parts are ready; tokens name the resource that they are for."""
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))), encoding="utf-8")
    issuer = SessionTokenIssuer(SessionTokens(bytes(range(32))), PUBLIC_URL)
    settings = IdentitySettings("oidc", PUBLIC_URL, (Issuer("people", PROVIDER, jwks_file=keys),))
    identity = Identity(settings, issuer)
    identity.start()
    approvals = await office.gateway()
    async with reading(office.kafka) as control, announcing(office.kafka) as announcer:
        await until(lambda: identity.ready and announcer.ready)
        routes = approval_routes(
            approvals,
            identity=identity,
            settings=settings,
            connections=CONNECTIONS,
            control=control,
            announcer=announcer,
            hosts=frozenset({"gate.example.com"}),
        )
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
            mint = Mint(PROVIDER, f"{PUBLIC_URL}/mcp/prod")
            yield Counter(office, approvals, announcer, control, issuer, http, mint, f"alice-{uuid4()}")
    await identity.stop()


async def test_the_requester_sees_how_it_stands_and_when_to_ask_again(counter: Counter) -> None:
    call = held(counter.principal)
    approval = await asked(counter.approvals, call)
    answer = await counter.get(f"/approvals/{approval.approval_id}")
    assert (answer.status_code, answer.headers["retry-after"]) == (200, "5")
    told = answer.json()
    assert (told["id"], told["state"], told["connection"]) == (approval.approval_id, "pending", "prod")
    assert told["ends_at"].endswith("+00:00")
    await counter.office.say(approval, call, "deny", comment="ask me tomorrow")
    await counter.approvals.wait(approval.approval_id, 20)
    answer = await counter.get(f"/approvals/{approval.approval_id}")
    assert "retry-after" not in answer.headers
    assert (answer.json()["state"], answer.json()["comment"]) == ("denied", "ask me tomorrow")


async def test_an_approved_one_says_to_make_the_same_call_again(counter: Counter) -> None:
    approval = await granted(counter.office, counter.approvals, held(counter.principal))
    told = (await counter.get(f"/approvals/{approval.approval_id}")).json()
    assert (told["state"], told["approvers"]) == ("approved", [f"{PROVIDER}|ann"])
    assert told["next"] == "make the same call again: it runs, once"


async def test_anybody_else_finds_nothing(counter: Counter) -> None:
    approval = await asked(counter.approvals, held(counter.principal))
    path = f"/approvals/{approval.approval_id}"
    nothing = await counter.get(f"/approvals/{uuid4()}")
    other = await counter.get(path, sub="mallory")
    assert (other.status_code, other.json()) == (nothing.status_code, nothing.json())
    assert other.status_code == 404
    assert (await counter.get("/approvals", sub="mallory")).json() == {"approvals": []}


async def test_who_says_no_name_is_told_where_to_get_a_token(counter: Counter) -> None:
    approval = await asked(counter.approvals, held(counter.principal))
    for way, path in (("GET", f"/approvals/{approval.approval_id}"), ("GET", "/approvals")):
        answer = await counter.http.request(way, path)
        assert answer.status_code == 401
        assert "oauth-protected-resource" in answer.headers["www-authenticate"]
    answer = await counter.http.post("/approvals/access", json=WISH)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
    forged = {"authorization": "Bearer " + counter.token()["authorization"][7:-8] + "AAAAAAAA"}
    assert (await counter.http.get("/approvals", headers=forged)).status_code == 401


async def test_a_token_for_something_else_is_refused(counter: Counter) -> None:
    assert (await counter.get("/approvals", aud="https://elsewhere.example.com")).status_code == 401
    for name in ("staging", "prod"):
        assert (await counter.get("/approvals", aud=f"{PUBLIC_URL}/mcp/{name}")).status_code == 200
    assert (await counter.get("/approvals", aud=PUBLIC_URL)).status_code == 200


async def test_a_session_token_shows_what_is_of_its_connection(counter: Counter) -> None:
    mine = [
        await asked(counter.approvals, held(counter.principal, connection=name)) for name in ("prod", "x")
    ]
    token = counter.issuer.give(counter.principal, "prod", "").token
    headers = {"authorization": f"Bearer {token}"}
    listed = (await counter.http.get("/approvals", headers=headers)).json()["approvals"]
    assert [each["id"] for each in listed] == [mine[0].approval_id]
    codes = [
        (await counter.http.get(f"/approvals/{a.approval_id}", headers=headers)).status_code for a in mine
    ]
    assert codes == [200, 404]
    answer = await counter.http.post(
        "/approvals/access", json={**WISH, "connection": "staging"}, headers=headers
    )
    assert answer.status_code == 404


async def test_ones_own_are_listed_the_newest_first(counter: Counter) -> None:
    first = await granted(counter.office, counter.approvals, held(counter.principal))
    second = await asked(counter.approvals, held(counter.principal, "5e" * 32))
    listed = (await counter.get("/approvals")).json()["approvals"]
    assert [each["id"] for each in listed] == [second.approval_id, first.approval_id]


async def test_access_is_asked_for_recorded_and_lent(counter: Counter) -> None:
    answer = await counter.wish()
    told = answer.json()
    assert (answer.status_code, answer.headers["retry-after"]) == (202, "5")
    assert answer.headers["location"] == f"/approvals/{told['id']}"
    assert (told["state"], told["kind"], told["connection"]) == ("pending", "access", "prod")
    ((outcome, target, reason, detail),) = await counter.recorded()
    assert (outcome, target, reason) == ("asked", "prod", "the pager rang")
    assert (detail["approval_id"], detail["seconds"]) == (told["id"], 600)
    assert (await counter.get(answer.headers["location"])).json()["state"] == "pending"
    await counter.office.say(told["id"], held(counter.principal, "", policy_version=""))
    await counter.approvals.wait(told["id"], 20)
    assert counter.approvals.may_access(counter.principal, "prod")
    told = (await counter.get(answer.headers["location"])).json()
    assert (told["state"], told["next"]) == ("approved", "the connection can be used until it ends")


async def test_who_asks_again_is_told_of_what_is_pending(counter: Counter) -> None:
    first, second = await counter.wish(), await counter.wish(reason="please")
    assert (second.status_code, second.json()["id"]) == (202, first.json()["id"])
    assert len(await counter.recorded()) == 1


@pytest.mark.parametrize(
    ("over", "status", "code"),
    [
        ({"connection": "closed"}, 404, "no_access_requests"),
        ({"connection": "nowhere"}, 404, "no_access_requests"),
        ({"seconds": 3_601}, 400, "too_many_seconds"),
        ({"seconds": 0}, 400, "invalid_request"),
        ({"seconds": True}, 400, "invalid_request"),
        ({"seconds": "600"}, 400, "invalid_request"),
        ({"reason": " "}, 400, "invalid_request"),
        ({"reason": "two\nlines"}, 400, "invalid_request"),
        ({"reason": "x" * 501}, 400, "invalid_request"),
        ({"reason": "x" * 9_000}, 413, "body_too_large"),
        ({"more": 1}, 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_asked_is_refused_and_recorded(
    counter: Counter, over: dict[str, Any], status: int, code: str
) -> None:
    answer = await counter.wish(**over)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    ((outcome, _, _, detail),) = await counter.recorded()
    assert (outcome, detail["reason_code"]) == ("refused", code)
    assert counter.approvals.own(counter.principal) == []


async def test_a_form_of_a_page_and_a_page_of_another_site_are_refused(counter: Counter) -> None:
    text = {**counter.token(), "content-type": "text/plain"}
    answer = await counter.http.post("/approvals/access", content=json.dumps(WISH), headers=text)
    assert answer.status_code == 415
    for header in ({"origin": "https://evil.example.com"}, {"host": "evil.example.com"}):
        answer = await counter.http.get("/approvals", headers={**counter.token(), **header})
        assert (answer.status_code, answer.json()["error"]) == (403, "host_not_allowed")


async def test_nobody_floods_the_reviewers(counter: Counter) -> None:
    answers = [await counter.wish() for _ in range(12)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len({answer.json()["id"] for answer in answers[:10]}) == 1


async def test_a_blocked_principal_is_refused(counter: Counter) -> None:
    record = principal_blocked(
        stamp(), PROVIDER, counter.subject, by="cli:ann@host", reason="under investigation"
    )
    assert await counter.announcer.control(record["target"], record)
    await until(lambda: counter.control.blocked(counter.principal))
    assert (await counter.wish()).json()["error"] == "principal_blocked"
    assert (await counter.get("/approvals")).status_code == 403


async def test_where_nobody_is_asked_who_they_are_the_anonymous_caller_sees_its_own(office: Office) -> None:
    approvals = await office.gateway()
    async with reading(office.kafka) as control, announcing(office.kafka) as announcer:
        routes = approval_routes(
            approvals,
            identity=None,
            settings=IdentitySettings(),
            connections=CONNECTIONS,
            control=control,
            announcer=announcer,
        )
        transport = httpx.ASGITransport(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            approval = await asked(approvals, held(Principal("", "anonymous", "127.0.0.1||2026-01-01")))
            answer = await http.get(f"/approvals/{approval.approval_id}")
            assert (answer.status_code, answer.json()["state"]) == (200, "pending")
