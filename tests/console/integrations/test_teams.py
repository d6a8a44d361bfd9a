"""Approvals in Teams: a bot's cards decide, a workflow's cards link, and the Connector is known by its token."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.integrations.settings import IntegrationSettings, Target, TeamsBot, TeamsWorkflow
from gateway.settings import SecretSource
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage, until
from tests.console.integrations.teams_server import APP_ID, APP_SECRET, CHANNEL, TENANT, TeamsServer, words
from tests.gateway.identity.minting import Mint, hmac_forged, public_pem, rsa_key
from tests.processors.approvals.making import ISSUER


@pytest.fixture
async def teams() -> AsyncIterator[TeamsServer]:
    server = TeamsServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def settings(teams: TeamsServer, tmp_path: Path) -> IntegrationSettings:
    (tmp_path / "password").write_text(APP_SECRET, encoding="utf-8")
    bot = TeamsBot(
        app_id=APP_ID,
        tenant_id=TENANT,
        app_secret=SecretSource(file=tmp_path / "password"),
        targets=(Target(CHANNEL),),
        service_url=teams.service_url,
        login_url=teams.url,
        openid_url=f"{teams.url}/v1/.well-known/openidconfiguration",
    )
    return IntegrationSettings(public_url=PUBLIC_URL, teams=bot, retries=QUICK)


async def test_a_reviewer_sees_the_exact_call_and_approves_it_in_teams(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: teams.cards)
        shown = words(teams.card())
        for said in (
            "bob",
            "prod",
            "delete_pod",
            '{"name":"web-1"}',
            "deletes",
            "the pod hangs",
            "1 of owners",
        ):
            assert said in shown
        titles = [action["title"] for action in teams.card()["actions"]]
        assert titles == ["Approve", "Deny", "Open in the console"]
        status, answer = await teams.send(stage.http, console, teams.click("Approve", "ann-object", "fine"))
        assert (status, answer["statusCode"]) == (200, 200)
        assert answer["type"] == "application/vnd.microsoft.card.adaptive"
        assert f"It is approved by {ISSUER}|ann: fine" in words(answer["value"])
        await until(lambda: teams.updates)
        assert [action["title"] for action in teams.card()["actions"]] == ["Open in the console"]
        assert stage.desk.state(approval) == "approved"
    assert stage.desk.decided == [("teams", "approve", f"{ISSUER}|ann", "fine")]
    assert len(teams.tokens) == 1
    assert len(teams.cards) == 1


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("bob-object", "nobody decides what they asked for themselves"),
        ("nobody-object", "Nobody here is known as teams:tenant-1/nobody-object"),
        ("", "Nobody here is known as teams:tenant-1/"),
    ],
)
async def test_abuse_75_who_may_not_decide_is_told_so(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings, who: str, says: str
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: teams.cards)
        status, answer = await teams.send(stage.http, console, teams.click("Approve", who))
        assert (status, answer["type"]) == (200, "application/vnd.microsoft.activity.message")
        assert says in answer["value"]
        assert stage.desk.state(approval) == "pending"


async def test_the_comment_that_a_rule_demands_is_an_input_of_the_card(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        stage.desk.ask(comment_required=True)
        await until(lambda: teams.cards)
        (entry,) = [each for each in teams.card()["body"] if each["type"] == "Input.Text"]
        assert (entry["id"], entry["isRequired"]) == ("comment", True)
        _, answer = await teams.send(stage.http, console, teams.click("Deny", "ann-object"))
        assert "demands a comment" in answer["value"]
        await teams.send(stage.http, console, teams.click("Deny", "ann-object", "not today"))
    assert stage.desk.decided[-1] == ("teams", "deny", f"{ISSUER}|ann", "not today")


async def test_abuse_80_only_the_connector_to_this_bot_about_teams_is_heard(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    now = int(time.time())
    stranger = Mint(teams.mint.issuer, APP_ID, key=rsa_key(8), key_id="connector-1")
    unknown = Mint(teams.mint.issuer, APP_ID, key=rsa_key(8), key_id="another")
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: teams.cards)
        click = teams.click("Approve", "ann-object")
        wrong = {
            "no token": "",
            "no JWT": "abc",
            "another's signature": teams.token(stranger),
            "a key that is not known": teams.token(unknown),
            "no algorithm": teams.token(header={"alg": "none"}),
            "the public key as a secret": hmac_forged(teams.mint, public_pem(teams.mint.key)),
            "another issuer": teams.token(iss="https://sts.windows.net/other/"),
            "another bot": teams.token(aud="99999999-0000-0000-0000-000000000000"),
            "over": teams.token(nbf=now - 7_200, exp=now - 400),
            "not yet": teams.token(nbf=now + 400, iat=now + 400),
            "without an end": teams.token(exp=None),
            "another service": teams.token(serviceurl="https://evil.example/"),
            "no service": teams.token(serviceurl=None),
        }
        for name, token in wrong.items():
            assert (await teams.send(stage.http, console, click, token))[0] == 403, name
        for name, over in {
            "another channel": {"channelId": "webchat"},
            "another tenant": {"channelData": {"tenant": {"id": "tenant-2"}}},
            "two tenants": {"conversation": {"id": "1", "tenantId": "tenant-2"}},
            "no id": {"id": ""},
        }.items():
            assert (await teams.send(stage.http, console, {**click, **over}))[0] == 403, name
        assert stage.desk.decided == []
        assert stage.desk.state(approval) == "pending"


async def test_a_key_that_is_not_endorsed_for_teams_is_not_believed(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    teams.endorsed = ["webchat"]
    async with stage.running(settings) as console:
        stage.desk.ask()
        await until(lambda: teams.cards)
        assert (await teams.send(stage.http, console, teams.click("Approve", "ann-object")))[0] == 403
    assert stage.desk.decided == []


async def test_an_activity_that_comes_again_is_refused(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        stage.desk.ask(quorum=[{"reviewers": ["owners"], "people": 2}])
        await until(lambda: teams.cards)
        click = teams.click("Approve", "ann-object")
        assert (await teams.send(stage.http, console, click))[0] == 200
        assert (await teams.send(stage.http, console, click))[0] == 403
    assert len(stage.desk.decided) == 1


async def test_other_activities_are_acknowledged_and_change_nothing(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings, deliver=False) as console:
        plain: dict[str, Any] = {"channelId": "msteams", "serviceUrl": teams.service_url, "id": "1"}
        for kind in ({"type": "message", "text": "approve"}, {"type": "conversationUpdate"}):
            assert await teams.send(stage.http, console, {**plain, **kind}) == (200, None)
        assert (await teams.send(stage.http, console, []))[0] == 403
    assert stage.desk.decided == []


async def test_a_click_on_what_is_settled_is_told_so(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: teams.cards)
        click = teams.click("Approve", "ann-object")
        ann = stage.desk.people.person_of("teams", f"{TENANT}/ann-object")
        assert ann
        await stage.desk.decide(approval, "deny", ann)
        _, answer = await teams.send(stage.http, console, click)
        assert "it is denied already" in answer["value"]


async def test_a_token_that_is_refused_is_asked_for_anew(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings):
        stage.desk.ask()
        await until(lambda: teams.cards)
        teams.tokens.append("token-of-another-time")  # the one that the bot has is no good any more
        stage.desk.ask()
        await until(lambda: len(teams.cards) == 2)
    assert teams.asked.count(f"POST /{TENANT}/oauth2/v2.0/token") == 2


async def test_teams_down_busy_and_up_again(
    stage: Stage, teams: TeamsServer, settings: IntegrationSettings
) -> None:
    await teams.stop()
    async with stage.running(settings):
        stage.desk.ask()
        await until(lambda: stage.findings)
        assert "cannot be reached" in stage.findings[0]["title"]
        teams.faults = [(429, "1")]
        await teams.start()
        await until(lambda: teams.cards)
    assert APP_SECRET not in repr(stage.findings)


async def test_a_workflow_posts_cards_that_link_and_decide_nothing(
    stage: Stage, teams: TeamsServer, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(f"{teams.url}/workflows/of-the-workflow", encoding="utf-8")
    workflow = TeamsWorkflow(SecretSource(file=tmp_path / "url"))
    async with stage.running(IntegrationSettings(PUBLIC_URL, teams=workflow, retries=QUICK)) as console:
        approval = stage.desk.ask()
        await until(lambda: teams.posted)
        assert teams.posted[0]["actions"] == [
            {
                "type": "Action.OpenUrl",
                "title": "Open in the console",
                "url": f"{PUBLIC_URL}/approvals/{approval}",
            }
        ]
        ann = stage.desk.people.person_of("slack", "T1/UANN")
        assert ann
        await stage.desk.decide(approval, "deny", ann, "no")
        await until(lambda: len(teams.posted) == 2)
        assert "It is denied: no" in words(teams.posted[1])
        async with stage.http.post(f"{console}/integrations/teams", json={}) as response:
            assert response.status == 404
