"""Approvals in Slack: the exact call is shown, a click is believed by its signature, and the message follows."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from console.integrations.settings import IntegrationSettings, Only, Slack, Target
from gateway.settings import SecretSource
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage, until
from tests.console.integrations.slack_server import (
    BOT_TOKEN,
    CHANNEL,
    SIGNING_SECRET,
    SlackServer,
    send,
    signed,
)
from tests.processors.approvals.making import ISSUER

OLD_SECRET = "the-one-before"


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def settings(slack: SlackServer, tmp_path: Path) -> IntegrationSettings:
    return IntegrationSettings(public_url=PUBLIC_URL, slack=app(slack, tmp_path), retries=QUICK)


def app(slack: SlackServer, folder: Path, *targets: Target) -> Slack:
    return Slack(
        bot_token=secret(folder, "token", BOT_TOKEN),
        signing_secrets=(secret(folder, "signing", SIGNING_SECRET), secret(folder, "old", OLD_SECRET)),
        targets=targets or (Target(CHANNEL),),
        api_url=f"{slack.url}/api",
    )


def secret(folder: Path, name: str, text: str) -> SecretSource:
    (folder / name).write_text(text + "\n", encoding="utf-8")
    return SecretSource(file=folder / name)


async def test_a_reviewer_sees_the_exact_call_and_approves_it_with_one_click(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask(arguments=b'{"name":"web-1"}')
        await until(lambda: slack.messages)
        shown = slack.shown()
        for said in (
            "bob",
            "prod",
            "delete_pod",
            '{\\"name\\":\\"web-1\\"}',
            "deletes",
            "the pod hangs",
            "1 of owners",
        ):
            assert said in shown
        assert slack.buttons() == ["Approve", "Deny", "Open in the console"]
        assert await send(stage.http, console, signed(slack.click("Approve", "UANN"))) == (200, None)
        await until(lambda: slack.updates)
        assert stage.desk.state(approval) == "approved"
        assert stage.desk.decided == [("slack", "approve", f"{ISSUER}|ann", "")]
        assert f"It is approved by {ISSUER}|ann" in slack.shown()
        assert slack.buttons() == ["Open in the console"]
        assert len(slack.messages) == 1
        assert slack.whispers == []


async def test_a_comment_is_asked_for_where_the_rule_demands_one(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask(comment_required=True)
        await until(lambda: slack.messages)
        assert await send(stage.http, console, signed(slack.click("Deny", "UANN"))) == (200, None)
        await until(lambda: slack.modals)
        assert stage.desk.decided == []
        status, answer = await send(stage.http, console, signed(slack.submission("UANN", "  ")))
        assert (status, answer["response_action"]) == (200, "errors")
        assert "demands a comment" in answer["errors"]["comment"]
        submission = signed(slack.submission("UANN", "not on a Friday"))
        assert await send(stage.http, console, submission) == (200, None)
        await until(lambda: slack.updates)
        assert stage.desk.state(approval) == "denied"
        assert "not on a Friday" in slack.shown()


async def test_abuse_75_whoever_asked_is_told_alone_that_their_click_does_not_count(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: slack.messages)
        await send(stage.http, console, signed(slack.click("Approve", "UBOB")))
        await until(lambda: slack.whispers)
        assert slack.whispers[0]["user"] == "UBOB"
        assert "nobody decides what they asked for themselves" in slack.whispers[0]["text"]
        assert stage.desk.state(approval) == "pending"


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ({"id": "UNOBODY", "team_id": "T1"}, "Nobody here is known as slack:T1/UNOBODY"),
        ({"id": "UANN", "team_id": "T9"}, "Nobody here is known as slack:T9/UANN"),
        ({"id": "UMALLORY", "team_id": "T1"}, "not one of the reviewers"),
    ],
    ids=["nobody we know", "the same id in another workspace", "somebody who is no reviewer"],
)
async def test_a_stranger_is_told_so_and_decides_nothing(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings, user: dict[str, str], says: str
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: slack.messages)
        click = slack.click("Approve", user["id"], user=user)
        assert await send(stage.http, console, signed(click)) == (200, None)
        await until(lambda: slack.whispers)
        assert says in slack.whispers[0]["text"]
        assert stage.desk.state(approval) == "pending"


async def test_abuse_80_what_slack_did_not_sign_now_and_once_is_refused(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask(quorum=[{"reviewers": ["owners"], "people": 2}])
        await until(lambda: slack.messages)
        click = slack.click("Approve", "UANN")
        forged = signed(click, secret="guessed")
        late = signed(click, at=time.time() - 301)
        early = signed(click, at=time.time() + 301)
        altered = signed(click)
        altered.body = altered.body.replace(b"UANN", b"UEVE")
        bare = signed(click)
        del bare.headers["X-Slack-Signature"]
        undated = signed(click)
        del undated.headers["X-Slack-Request-Timestamp"]
        for wrong in (forged, late, early, altered, bare, undated):
            assert (await send(stage.http, console, wrong))[0] == 401
        right = signed(click)
        assert (await send(stage.http, console, right))[0] == 200
        assert (await send(stage.http, console, right))[0] == 401  # a replay
        await until(lambda: slack.updates)
        assert [who for _, _, who, _ in stage.desk.decided] == [f"{ISSUER}|ann"]
        assert stage.desk.state(approval) == "pending"
        assert stage.counted("heard", outcome="unauthentic") == 7
        assert stage.counted("heard", outcome="counted") == 1


async def test_the_secret_before_is_good_while_it_is_configured(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: slack.messages)
        click = signed(slack.click("Approve", "UANN"), secret=OLD_SECRET)
        assert (await send(stage.http, console, click))[0] == 200
        await until(lambda: stage.desk.state(approval) == "approved")


async def test_what_cannot_be_read_is_refused_and_decides_nothing(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings, deliver=False) as console:
        url = f"{console}/integrations/slack"
        for payload in ([], "text", {"type": 5}, {}):
            assert (await send(stage.http, console, signed(payload)))[0] == 400  # type: ignore[arg-type]
        for payload in (
            {"type": "shortcut"},
            {"type": "block_actions"},
            {"type": "block_actions", "actions": 7},
        ):
            assert (await send(stage.http, console, signed(payload)))[0] == 200
        long = {"type": "block_actions", "filling": "x" * 600_000}
        assert (await send(stage.http, console, signed(long)))[0] == 400
        async with stage.http.get(url) as response:
            assert response.status == 405
    assert stage.desk.decided == []


async def test_a_click_on_what_is_settled_is_told_so(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: slack.messages)
        click = slack.click("Approve", "UANN")
        elsewhere = stage.desk.people.person_of("slack", "T1/UEVE")
        assert elsewhere
        await stage.desk.decide(approval, "deny", elsewhere, "by hand")
        await send(stage.http, console, signed(click))
        await until(lambda: slack.whispers)
        assert "it is denied already" in slack.whispers[0]["text"]
        await until(lambda: slack.updates)
        assert "It is denied by" not in slack.shown()
        assert "It is denied: by hand" in slack.shown()


async def test_nothing_in_a_message_but_the_approvals_id_is_believed(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        approval = stage.desk.ask()
        await until(lambda: slack.messages)
        click = slack.click("Approve", "UANN")
        click["actions"][0]["value"] = "0190a8c0-0000-7000-8000-00000000ffff"
        await send(stage.http, console, signed(click))
        await until(lambda: slack.whispers)
        assert "There is no such approval here" in slack.whispers[0]["text"]
        click = slack.click("Approve", "UANN")
        click["actions"][0] |= {"action_id": "sluicegate.revoke", "value": approval}
        click["message"]["metadata"] = {
            "event_payload": {"argument_digest": "00" * 32, "policy_version": "1"}
        }
        assert (await send(stage.http, console, signed(click)))[0] == 200
        await send(
            stage.http,
            console,
            signed({**click, "actions": [{"action_id": "sluicegate.deny", "value": approval}]}),
        )
        await until(lambda: stage.desk.state(approval) == "denied")


async def test_arguments_too_long_to_be_seen_whole_cannot_be_approved_here(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings):
        stage.desk.ask(arguments=b'{"script":"' + b"x" * 5_000 + b'; rm -rf /"}')
        await until(lambda: slack.messages)
        assert slack.buttons() == ["Deny", "Open in the console"]
        assert "The arguments are longer than this" in slack.shown()


async def test_what_a_caller_wrote_is_shown_as_text_and_marks_nothing_up(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    nasty = "<!channel> *approved* <https://evil.example|ok> \u202egnp"
    async with stage.running(settings):
        stage.desk.ask(tool=nasty, reason=nasty, arguments=json.dumps({"a": nasty}).encode())
        await until(lambda: slack.messages)
    (message,) = slack.messages.values()
    assert "<" not in message["text"]
    assert "\u202e" not in json.dumps(message, ensure_ascii=False)
    texts = [each for block in message["blocks"] for each in block.get("fields", ())]
    assert {each["type"] for each in texts} == {"plain_text"}


async def test_a_restart_tells_nobody_twice_and_brings_the_message_up_to_date(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    approval = stage.desk.ask()
    async with stage.running(settings):
        await until(lambda: stage.book.rows and stage.book.entries("slack")[0]["external_id"])
    ann = stage.desk.people.person_of("slack", "T1/UANN")
    assert ann
    await stage.desk.decide(approval, "approve", ann)
    async with stage.running(settings):
        await until(lambda: slack.updates)
        await until(lambda: stage.book.entries("slack")[0]["told"] == "approved:1")
    assert slack.asked.count("POST /api/chat.postMessage") == 1


async def test_a_message_of_which_nobody_knows_is_found_again_before_another_is_posted(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    slack.silent = True
    async with stage.running(settings):
        stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("slack")[0]["external_id"])
    assert len(slack.messages) == 1
    assert stage.book.entries("slack")[0]["external_id"] in slack.messages


async def test_without_the_right_to_read_it_is_told_at_least_once(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    slack.silent, slack.may_read = True, False
    async with stage.running(settings):
        stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("slack")[0]["external_id"])
    assert len(slack.messages) == 2


async def test_slack_down_is_seen_and_tried_again_until_it_is_up(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    await slack.stop()
    with structlog.testing.capture_logs() as logs:
        async with stage.running(settings):
            stage.desk.ask()
            stage.desk.ask()
            await until(lambda: stage.findings)
            (finding,) = stage.findings
            assert (finding["rule"], finding["severity"]) == ("approval-not-told", "medium")
            assert "Slack cannot be reached" in finding["title"]
            await slack.start()
            await until(lambda: len(slack.messages) == 2)
    assert len(stage.findings) == 1
    assert "approval_not_told" in {row["event"] for row in logs}
    assert stage.counted("told", outcome="failed") >= 3
    assert stage.counted("told", outcome="told") == 2
    assert stage.counted("behind") == 0
    assert BOT_TOKEN not in repr(logs) + repr(stage.findings)


async def test_slack_is_left_alone_for_as_long_as_it_asks(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    slack.faults = [(429, "1")]
    began = time.monotonic()
    async with stage.running(settings):
        stage.desk.ask()
        stage.desk.ask()
        await until(lambda: len(slack.messages) == 2)
    assert time.monotonic() - began >= 1.0
    assert len(slack.asked) == 4  # one refused, then a look for it, and two messages


async def test_an_approval_goes_to_the_first_channel_that_fits_or_nowhere(
    stage: Stage, slack: SlackServer, tmp_path: Path
) -> None:
    targets = (
        Target("C-staging", Only(connections=("staging",))),
        Target(CHANNEL, Only(reviewers=("owners", "security"))),
    )
    settings = IntegrationSettings(slack=app(slack, tmp_path, *targets), retries=QUICK)
    async with stage.running(settings):
        stage.desk.ask(quorum=[{"reviewers": ["someone-else"], "people": 1}])
        approval = stage.desk.ask()
        await until(lambda: slack.messages)
        assert [entry["approval_id"] for entry in stage.book.entries("slack")] == [approval]


async def test_what_ended_before_anybody_heard_of_it_is_not_told(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    ann = stage.desk.people.person_of("slack", "T1/UANN")
    assert ann
    await stage.desk.decide(stage.desk.ask(), "deny", ann)
    async with stage.running(settings):
        open_one = stage.desk.ask()
        await until(lambda: slack.messages)
        assert [entry["approval_id"] for entry in stage.book.entries("slack")] == [open_one]


async def test_when_the_desk_does_not_answer_the_person_is_told_that_nothing_is_known(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        stage.desk.ask()
        await until(lambda: slack.messages)
        stage.desk.away = True
        await send(stage.http, console, signed(slack.click("Approve", "UANN")))
        await until(lambda: slack.whispers)
        assert "nobody has answered" in slack.whispers[0]["text"]


async def test_a_broken_glass_asks_for_its_review(
    stage: Stage, slack: SlackServer, settings: IntegrationSettings
) -> None:
    async with stage.running(settings) as console:
        over: dict[str, Any] = {
            "kind": "break_glass",
            "break_glass_groups": ["developers"],
            "review_seconds": 600,
        }
        stage.desk.ask(**over)
        await until(lambda: slack.messages)
        assert slack.buttons() == ["Reviewed", "Open in the console"]
        await send(stage.http, console, signed(slack.click("Reviewed", "UANN")))
        await until(lambda: slack.modals)
        assert await send(stage.http, console, signed(slack.submission("UANN", "it was right"))) == (
            200,
            None,
        )
        await until(lambda: slack.buttons() == ["Open in the console"])
        assert stage.desk.decided == [("slack", "review", f"{ISSUER}|ann", "it was right")]
