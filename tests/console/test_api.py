"""The REST API with real tokens, the real processor, and every answer held against the OpenAPI document."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.console.calling import Answer, Api, served
from tests.console.conftest import Floor, comes_to
from tests.processors.approvals.making import DIGEST, SECOND

OPERATIONS = {
    "listApprovals",
    "followApprovals",
    "showApproval",
    "decideApproval",
    "listDelegations",
    "giveDelegation",
    "endDelegation",
    "showMe",
    "listPeople",
    "showDocument",
}


@pytest.fixture
async def api(settled: Floor) -> AsyncIterator[Api]:
    async with served(settled) as found:
        yield found


async def asked(floor: Floor, api: Api, **over: Any) -> str:
    """Bob asks, and the console knows that it is pending."""
    approval = await floor.ask(**{"principal_issuer": api.issuer, "principal_aliases": [], **over})
    await comes_to(api.console.desk, approval, "pending")
    return approval


async def say(api: Api, approval: str, token: str, verb: str = "approve", **more: Any) -> Answer:
    body = {"verb": verb, "digest": DIGEST, **more}
    return await api.ask("POST", f"/api/approvals/{approval}/decision", token, body)


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


async def test_every_operation_answers_as_the_document_says(settled: Floor, api: Api) -> None:
    approval = await asked(settled, api, arguments=b'{"name":"\xc3\xa9"}')
    ann, guest = api.token("ann"), api.token("guest", "visitors")
    assert (await api.ask("GET", "/api/openapi.json")).content == api.document
    me = (await api.ask("GET", "/api/me", ann)).content
    assert (me["subject"], me["groups"], me["auditor"]) == ("ann", ["owners"], False)
    assert me["waiting"] >= 1
    page = (await api.ask("GET", "/api/approvals?mine=true&state=pending", ann)).content
    assert approval in [row["id"] for row in page["approvals"]]
    shown = (await api.ask("GET", f"/api/approvals/{approval}", ann)).content
    assert (shown["arguments"], shown["digest"], shown["you"]["waits"]) == ('{"name":"é"}', DIGEST, True)
    given = await api.ask(
        "POST",
        "/api/delegations",
        ann,
        {"to": {"issuer": api.issuer, "subject": "guest"}, "until": tomorrow(), "reason": "away"},
    )
    assert given.status == 201
    held = (await api.ask("GET", "/api/delegations", guest)).content["delegations"]
    assert given.content in held
    assert given.headers["Location"] == f"/api/delegations/{given.content['id']}"
    by_guest = (await api.ask("GET", f"/api/approvals/{approval}", guest)).content
    assert by_guest["you"]["delegation_id"] == given.content["id"]
    decided = await say(api, approval, guest, comment="for Ann")
    assert (decided.status, decided.content["state"]) == (200, "approved")
    assert decided.content["approvers"] == [f"{api.issuer}|guest"]
    ended = await api.ask("DELETE", f"/api/delegations/{given.content['id']}?reason=back", guest)
    assert ended.status == 204
    assert (await api.ask("DELETE", f"/api/delegations/{given.content['id']}", guest)).status == 404
    people = (await api.ask("GET", "/api/people", ann)).content["people"]
    assert {"bob", "ann"} == {row["subject"] for row in people}
    revoked = await say(api, approval, ann, "revoke")
    assert (revoked.status, revoked.content["state"]) == (200, "revoked")
    assert await first_event(api, ann, "r0s0") is not None
    assert api.called == OPERATIONS
    named = {
        each["operationId"]
        for path in api.document["paths"].values()
        for each in path.values()
        if "responses" in each
    }
    assert named == OPERATIONS


async def first_event(api: Api, token: str, since: str) -> str:
    """The head of the feed."""
    api.called.add("followApprovals")
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": since}
    async with api.http.get(api.url + "/api/approvals/events", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        while b"event: approval" not in await response.content.readline():
            continue
        return (await response.content.readline()).decode()


async def test_abuse_75_nobody_approves_their_own_through_another_client_or_name(
    settled: Floor, api: Api
) -> None:
    approval = await asked(settled, api, principal_aliases=["mail:bob@example.com"])
    tokens = [
        api.token("bob", azp="another-client"),
        api.token("bob", "owners", "auditors", "security-on-call"),
        api.token("robert", email="Bob@Example.com"),
    ]
    for token in tokens:
        shown = (await api.ask("GET", f"/api/approvals/{approval}", token)).content
        assert (shown["you"]["asked"], shown["you"]["waits"]) == (True, False)
        refused = await say(api, approval, token)
        assert refused.status == 409
        assert refused.content["detail"] == "nobody decides what they asked for themselves"
    assert (await say(api, approval, api.token("ann"))).status == 200


async def test_abuse_77_of_two_reviewers_at_once_one_decides(settled: Floor, api: Api) -> None:
    approval = await asked(settled, api)
    answers = await asyncio.gather(
        say(api, approval, api.token("ann")), say(api, approval, api.token("eve"), "deny")
    )
    assert sorted(each.status for each in answers) == [200, 409]
    state = next(each.content["state"] for each in answers if each.status == 200)
    shown = (await api.ask("GET", f"/api/approvals/{approval}", api.token("ann"))).content
    assert shown["state"] == state
    assert state in ("approved", "denied")


async def test_abuse_73_what_was_not_seen_is_not_approved(settled: Floor, api: Api) -> None:
    approval = await asked(settled, api)
    ann = api.token("ann")
    other = await say(api, approval, ann, digest="00" * 32)
    assert (other.status, other.content["detail"]) == (409, "the call is not the one that was asked for")
    blind = await say(api, approval, ann, digest="")
    assert blind.status == 422
    assert api.console.desk.standing(approval).state == "pending"  # type: ignore[union-attr]


async def test_one_sees_what_one_asked_may_review_or_audits_and_nothing_else(
    settled: Floor, api: Api
) -> None:
    approval = await asked(settled, api)
    path = f"/api/approvals/{approval}"
    for token in (api.token("bob", "developers"), api.token("ann"), api.token("aud", "auditors")):
        assert (await api.ask("GET", path, token)).status == 200
        listed = (await api.ask("GET", "/api/approvals", token)).content["approvals"]
        assert approval in [row["id"] for row in listed]
    stranger = api.token("eve", "visitors")
    assert (await api.ask("GET", path, stranger)).status == 404
    assert (await say(api, approval, stranger)).status == 404
    assert (await api.ask("GET", "/api/approvals", stranger)).content == {"approvals": [], "next": None}
    auditor = await say(api, approval, api.token("aud", "auditors"))
    assert (auditor.status, auditor.content["detail"]) == (409, "not one of the reviewers")
    assert (await api.ask("GET", f"/api/approvals/{uuid4()}", api.token("ann"))).status == 404
    assert (await api.ask("GET", "/api/approvals/x", api.token("ann"))).status == 404


async def test_grants_are_listed_and_taken_back_and_a_broken_glass_is_reviewed(
    settled: Floor, api: Api
) -> None:
    connection = f"c-{uuid4()}"
    grant = await asked(
        settled, api, kind="access", grant_seconds=600, argument_digest="", connection=connection
    )
    ann, oncall = api.token("ann"), api.token("olga", "security-on-call")
    assert (await say(api, grant, ann, digest="")).content["state"] == "approved"
    path = f"/api/approvals?state=approved&kind=access&kind=standing&connection={connection}"
    (row,) = (await api.ask("GET", path, oncall)).content["approvals"]
    assert (row["id"], row["uses_left"]) == (grant, None)
    assert (await say(api, grant, oncall, "revoke", digest="")).content["state"] == "revoked"
    assert (await api.ask("GET", path, oncall)).content["approvals"] == []
    glass = await settled.ask(
        kind="break_glass",
        principal_issuer=api.issuer,
        principal_groups=["oncall"],
        break_glass_groups=["oncall"],
        review_seconds=3600,
    )
    await comes_to(api.console.desk, glass, "approved")
    assert (await api.ask("GET", f"/api/approvals/{glass}", ann)).content["you"]["waits"]
    silent = await say(api, glass, ann, "review")
    assert (silent.status, silent.content["detail"]) == (409, "a review needs a comment")
    reviewed = await say(api, glass, ann, "review", comment="it was right")
    assert reviewed.content["reviewed_by"] == f"{api.issuer}|ann"
    assert not reviewed.content["you"]["waits"]


async def test_pages_follow_each_other_and_filters_hold(settled: Floor, api: Api) -> None:
    connection, ann = f"c-{uuid4()}", api.token("ann")
    since = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    made = [await asked(settled, api, connection=connection) for _ in range(5)]
    seen: list[str] = []
    path = f"/api/approvals?connection={connection}&limit=2"
    following: str | None = path
    while following:
        page = (await api.ask("GET", following, ann)).content
        seen += [row["id"] for row in page["approvals"]]
        following = f"{path}&after={page['next']}" if page["next"] else None
    assert seen == made[::-1]
    for query in (
        "requester=bob",
        f"requester={api.issuer}|bob",
        f"since={since}",
        "kind=call&state=pending",
    ):
        rows = (await api.ask("GET", f"/api/approvals?connection={connection}&{query}", ann)).content
        assert len(rows["approvals"]) == 5, query
    for query in ("requester=ann", "since=2999-01-01T00:00:00Z", "kind=access", "state=denied"):
        rows = (await api.ask("GET", f"/api/approvals?connection={connection}&{query}", ann)).content
        assert rows["approvals"] == [], query
    for query in ("limit=0", "limit=x", "state=open", "stat=pending", "mine=1", "since=now", "after=1"):
        assert (await api.ask("GET", f"/api/approvals?{query}", ann)).status == 400, query


async def test_who_shows_no_good_token_is_told_where_to_get_one(api: Api) -> None:
    nobody = await api.ask("GET", "/api/me")
    assert nobody.status == 401
    metadata = "https://console.example.com/.well-known/oauth-protected-resource"
    assert f'resource_metadata="{metadata}"' in nobody.headers["WWW-Authenticate"]
    async with api.http.get(api.url + "/.well-known/oauth-protected-resource") as response:
        document = await response.json()
    assert document["resource"] == "https://console.example.com"
    assert document["authorization_servers"] == [api.issuer]
    for token in (api.token("ann", aud="gateway"), api.token("ann", exp=int(time.time()) - 600), "x.y.z"):
        refused = await api.ask("GET", "/api/approvals", token)
        assert refused.status == 401
        assert refused.content["type"].rpartition(":")[2] in ("invalid_token", "token_expired")


async def test_pages_of_other_sites_and_rebound_names_get_nothing(settled: Floor, api: Api) -> None:
    approval, ann = await asked(settled, api), api.token("ann")
    path, body = f"/api/approvals/{approval}/decision", {"verb": "approve", "digest": DIGEST}
    for headers in (
        {"Origin": "https://evil.example.com"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "null"},
    ):
        refused = await api.ask("POST", path, ann, body, **headers)
        assert (refused.status, refused.content["type"]) == (403, "urn:sluicegate:problem:foreign_origin")
    assert (await api.ask("GET", "/api/me", ann, Host="evil.example.com")).status == 421
    for own in (api.url, "https://console.example.com"):
        assert (await api.ask("GET", "/api/me", ann, Origin=own)).status == 200
    form = await api.ask("POST", path, ann, body, Content_Type="text/plain")
    assert form.status == 415
    answer = await api.ask("OPTIONS", path, ann, Origin=api.url)
    assert answer.status == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert api.console.desk.standing(approval).state == "pending"  # type: ignore[union-attr]


async def test_bodies_that_do_not_fit_are_refused_by_name(settled: Floor, api: Api) -> None:
    approval, ann = await asked(settled, api), api.token("ann")
    path = f"/api/approvals/{approval}/decision"
    bodies: tuple[object, ...] = (
        {},
        {"verb": "use"},
        {"verb": "deny", "extra": 1},
        {"verb": "deny", "comment": "x" * 4001},
        [],
    )
    for body in bodies:
        assert (await api.ask("POST", path, ann, body)).status == 422, body
    assert (await api.ask("POST", path, ann, {"verb": "deny", "comment": "x" * 70_000})).status == 413
    to = {"issuer": api.issuer, "subject": "guest"}
    for wish in ({"to": to, "until": "soon"}, {"to": {**to, "issuer": "a|b"}, "until": tomorrow()}):
        assert (await api.ask("POST", "/api/delegations", ann, wish)).status == 422, wish
    for until in ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
        refused = await api.ask("POST", "/api/delegations", ann, {"to": to, "until": until})
        assert (refused.status, "within 90 days" in refused.content["detail"]) == (409, True)


async def test_an_approval_that_expires_leaves_by_itself(settled: Floor, api: Api) -> None:
    at = time.time_ns() // 1_000
    approval = await asked(settled, api, requested_at=at, expires_at=at + 2 * SECOND)
    await comes_to(api.console.desk, approval, "expired")
    late = await say(api, approval, api.token("ann"))
    assert (late.status, late.content["detail"]) == (409, "it is expired already")


async def test_a_mail_address_that_a_token_claims_shows_and_gives_nothing(settled: Floor, api: Api) -> None:
    approval = await asked(settled, api, principal_aliases=["mail:bob@example.com"])
    liar = api.token("liar", "visitors", email="bob@example.com")
    assert (await api.ask("GET", f"/api/approvals/{approval}", liar)).status == 404
    insider = api.token("insider", "owners", email="bob@example.com", jti="i")
    assert (await say(api, approval, insider)).content["detail"] == (
        "nobody decides what they asked for themselves"
    )
    revoked = await say(api, approval, api.token("bob", "visitors"), "revoke")
    assert revoked.content["state"] == "revoked"


async def test_what_is_no_clear_http_is_refused_at_the_door(api: Api) -> None:
    host, port = api.url.removeprefix("http://").split(":")
    for head in (b"GET /api/me HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /api/me HTTP/1.1\nHost: a\n\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        writer.close()
        await writer.wait_closed()
