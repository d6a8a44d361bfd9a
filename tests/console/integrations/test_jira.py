"""Approvals as issues in Jira: opened by template, decided by who moves them, and closed when settled elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.integrations.settings import IntegrationSettings, Jira
from console.integrations.templates import TemplateError, checked
from gateway.settings import SecretSource
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage, until
from tests.console.integrations.jira_server import ACCOUNT, EMAIL, SECRET, TOKEN, JiraServer, send, webhook
from tests.processors.approvals.making import ISSUER


@pytest.fixture
async def jira() -> AsyncIterator[JiraServer]:
    server = JiraServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def site(jira: JiraServer, tmp_path: Path) -> Jira:
    for name, text in (("token", TOKEN), ("secret", SECRET)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Jira(
        url=jira.url,
        token=SecretSource(file=tmp_path / "token"),
        project="OPS",
        email=EMAIL,
        fields={"labels": ["security"], "priority": {"name": "High"}},
        settled={"approved": "Done", "denied": "Done", "revoked": "Done"},
        poll_seconds=0.05,
        webhook_secrets=(SecretSource(file=tmp_path / "secret"),),
    )


def settings(site: Jira, **over: object) -> IntegrationSettings:
    return IntegrationSettings(public_url=PUBLIC_URL, jira=replace(site, **over), retries=QUICK)  # type: ignore[arg-type]


async def test_whoever_moves_the_issue_decides_with_their_comment(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
        fields = jira.issues["OPS-1"]["fields"]
        assert fields["summary"] == "Approval: delete_pod on prod for bob"
        assert fields["labels"] == ["security", "sluicegate", f"sluicegate-{approval}"]
        assert fields["priority"] == {"name": "High"}
        shown = json.dumps(fields["description"])
        for said in (
            "bob",
            "delete_pod",
            "web-1",
            "the pod hangs",
            "1 of owners",
            f"{PUBLIC_URL}/approvals/{approval}",
        ):
            assert said in shown
        jira.say("OPS-1", "somebody else's words", "acc-eve")
        jira.say("OPS-1", "looked at it\nfine", "acc-ann")
        jira.say("OPS-1", "me too", "acc-eve")
        jira.move("OPS-1", "Approved", "acc-ann")
        await until(lambda: stage.desk.state(approval) == "approved")
        assert stage.desk.decided == [("jira", "approve", f"{ISSUER}|ann", "looked at it\nfine")]
        await until(lambda: jira.said("OPS-1"))
        assert jira.said("OPS-1") == [f"It is approved by {ISSUER}|ann: looked at it fine."]
        assert fields["status"] == {"name": "Done"}
    assert len(jira.issues) == 1


async def test_a_move_into_a_status_that_denies_denies(stage: Stage, jira: JiraServer, site: Jira) -> None:
    async with stage.running(settings(site, deny_statuses=("declined",))):
        approval = stage.desk.ask()
        await until(lambda: jira.issues)
        jira.move("OPS-1", "Declined", "acc-ann")
        await until(lambda: stage.desk.state(approval) == "denied")


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("acc-bob", "nobody decides what they asked for themselves"),
        ("acc-nobody", "Nobody here is known as jira:acc-nobody"),
        (ACCOUNT, f"Nobody here is known as jira:{ACCOUNT}"),
    ],
)
async def test_abuse_75_who_may_not_decide_is_told_so_under_the_issue_once(
    stage: Stage, jira: JiraServer, site: Jira, who: str, says: str
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: jira.issues)
        jira.move("OPS-1", "Approved", who)
        await until(lambda: jira.said("OPS-1"))
        looks = jira.asked.count("POST /rest/api/3/search/jql")
        await until(lambda: jira.asked.count("POST /rest/api/3/search/jql") > looks + 3)
    async with stage.running(settings(site)):
        looks = jira.asked.count("POST /rest/api/3/search/jql")
        await until(lambda: jira.asked.count("POST /rest/api/3/search/jql") > looks + 3)
        (said,) = jira.said("OPS-1")
        assert says in said
        assert stage.desk.state(approval) == "pending"
        jira.move("OPS-1", "To Do", who)
        jira.move("OPS-1", "Approved", "acc-ann")
        await until(lambda: stage.desk.state(approval) == "approved")


async def test_a_quorum_is_met_by_two_people_who_move_it_one_after_the_other(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask(quorum=[{"reviewers": ["owners"], "people": 2}])
        await until(lambda: jira.issues)
        jira.move("OPS-1", "Approved", "acc-ann")
        await until(lambda: jira.said("OPS-1"))
        assert jira.said("OPS-1") == [f"It waits for a decision (agreed: {ISSUER}|ann)."]
        jira.move("OPS-1", "To Do", "acc-eve")
        jira.move("OPS-1", "Approved", "acc-eve")
        await until(lambda: stage.desk.state(approval) == "approved")
    assert [who for _, _, who, _ in stage.desk.decided] == [f"{ISSUER}|ann", f"{ISSUER}|eve"]


async def test_an_issue_whose_text_somebody_changed_approves_nothing(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: jira.issues)
        harmless = {"type": "doc", "version": 1, "content": []}
        jira.edit("OPS-1", "description", harmless, "acc-bob")
        jira.move("OPS-1", "Approved", "acc-ann")
        await until(lambda: jira.said("OPS-1"))
        assert "somebody changed what this ticket says was asked" in jira.said("OPS-1")[0]
        assert stage.desk.state(approval) == "pending"


async def test_an_issue_that_somebody_else_made_for_an_approval_decides_nothing(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
        copy = json.loads(json.dumps(jira.issues["OPS-1"]))
        copy["key"], copy["fields"]["creator"] = "OPS-2", {"accountId": "acc-bob"}
        jira.issues["OPS-2"] = copy
        jira.move("OPS-2", "Approved", "acc-ann")
        entry = stage.book.entries("jira")[0]
        await stage.book.write({**entry, "external_id": "OPS-2"})  # not even when the book is made to say so
        looks = jira.asked.count("GET /rest/api/3/issue/OPS-2")
        await until(lambda: jira.asked.count("GET /rest/api/3/issue/OPS-2") > looks + 2)
        assert stage.desk.state(approval) == "pending"


async def test_arguments_too_long_for_an_issue_are_not_approved_by_it(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask(arguments=b'"' + b"x" * 30_000 + b'"')
        await until(lambda: jira.issues)
        jira.move("OPS-1", "Approved", "acc-ann")
        await until(lambda: jira.said("OPS-1"))
        assert "longer than this ticket shows" in jira.said("OPS-1")[0]
        assert stage.desk.state(approval) == "pending"


async def test_what_is_settled_elsewhere_is_told_and_closed(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: jira.issues)
        ann = stage.desk.people.person_of("slack", "T1/UANN")
        assert ann
        await stage.desk.decide(approval, "deny", ann, "by hand")
        await until(lambda: jira.said("OPS-1"))
        assert jira.said("OPS-1") == ["It is denied: by hand."]
        assert jira.issues["OPS-1"]["fields"]["status"] == {"name": "Done"}
        await until(lambda: not stage.book.rows)


async def test_a_signed_webhook_makes_us_look_at_once(stage: Stage, jira: JiraServer, site: Jira) -> None:
    async with stage.running(settings(site, poll_seconds=600.0)) as console:
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
        jira.move("OPS-1", "Approved", "acc-ann")
        assert await send(stage.http, console, webhook("OPS-1")) == 200
        await until(lambda: stage.desk.state(approval) == "approved")


async def test_abuse_80_a_webhook_that_jira_did_not_sign_now_makes_nobody_look(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site, poll_seconds=600.0)) as console:
        stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
        jira.move("OPS-1", "Approved", "acc-ann")
        unsigned, altered = webhook("OPS-1"), webhook("OPS-1")
        del unsigned.headers["X-Hub-Signature"]
        altered.body = altered.body.replace(b"OPS-1", b"OPS-9")
        old = webhook("OPS-1", at=time.time() - 8_000)
        for wrong in (webhook("OPS-1", secret="guessed"), unsigned, altered, old):
            assert await send(stage.http, console, wrong) == 401
        once = webhook("OPS-1")
        assert await send(stage.http, console, once) == 200
        await until(lambda: stage.desk.decided)
        asked = len(jira.asked)
        assert (
            await send(stage.http, console, once) == 200
        )  # a repeat is acknowledged, and nobody looks again
        assert jira.asked[asked:].count("POST /rest/api/3/search/jql") == 0


async def test_without_a_secret_no_webhook_is_taken(stage: Stage, jira: JiraServer, site: Jira) -> None:
    async with stage.running(settings(site, webhook_secrets=()), deliver=False) as console:
        assert await send(stage.http, console, webhook("OPS-1")) == 404


async def test_an_issue_of_which_nobody_knows_is_found_again_before_another_is_opened(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    jira.silent = True
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
        jira.move("OPS-1", "Approved", "acc-ann")
        await until(lambda: stage.desk.state(approval) == "approved")
    assert list(jira.issues) == ["OPS-1"]


async def test_a_decision_made_while_no_console_ran_is_found(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    approval = stage.desk.ask()
    async with stage.running(settings(site)):
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
    jira.move("OPS-1", "Approved", "acc-ann")
    async with stage.running(settings(site)):
        await until(lambda: stage.desk.state(approval) == "approved")
    assert list(jira.issues) == ["OPS-1"]


async def test_jira_down_busy_and_up_again(stage: Stage, jira: JiraServer, site: Jira) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("jira")[0]["external_id"])
        await jira.stop()
        stage.desk.ask()
        await until(
            lambda: {each["rule"] for each in stage.findings} == {"approval-not-told", "tickets-not-read"}
        )
        jira.move("OPS-1", "Approved", "acc-ann")
        jira.faults = [(429, "1")]
        await jira.start()
        await until(lambda: stage.desk.state(approval) == "approved")
        await until(lambda: len(jira.issues) == 2)
    assert TOKEN not in repr(stage.findings)


async def test_when_the_desk_does_not_answer_the_next_look_decides(
    stage: Stage, jira: JiraServer, site: Jira
) -> None:
    async with stage.running(settings(site)):
        approval = stage.desk.ask()
        await until(lambda: jira.issues)
        stage.desk.away = True
        jira.move("OPS-1", "Approved", "acc-ann")
        looks = jira.asked.count("GET /rest/api/3/issue/OPS-1/changelog")
        await until(lambda: jira.asked.count("GET /rest/api/3/issue/OPS-1/changelog") > looks + 2)
        stage.desk.away = False
        await until(lambda: stage.desk.state(approval) == "approved")
        assert not any("cannot be decided" in said for said in jira.said("OPS-1"))


@pytest.mark.parametrize("template", ["$secret is asked", "$", "${what", "costs $5"])
def test_a_template_that_names_what_there_is_not_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match=r"\$"):
        checked(template)
