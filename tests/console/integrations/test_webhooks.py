"""Signed webhooks out and in: known by their secret, near in time, acted on once, and repeated until they arrive."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.integrations.settings import IntegrationSettings, Only, Webhook
from console.integrations.signing import webhook_key, webhook_signature
from gateway.settings import SecretSource
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage, until
from tests.console.integrations.hook_server import OTHER, SECRET, HookServer, decision, message, send
from tests.processors.approvals.making import DIGEST, ISSUER


@pytest.fixture
async def hook() -> AsyncIterator[HookServer]:
    server = HookServer()
    await server.start()
    yield server
    await server.stop()


def bus(hook: HookServer, folder: Path, *secrets: str, only: Only | None = None) -> IntegrationSettings:
    """A console with the webhook `bus`."""
    sources = []
    for number, text in enumerate(secrets or (SECRET,)):
        (folder / f"secret-{number}").write_text(text, encoding="utf-8")
        sources.append(SecretSource(file=folder / f"secret-{number}"))
    webhook = Webhook("bus", tuple(sources), f"{hook.url}/hook", decisions=True, only=only or Only())
    return IntegrationSettings(public_url=PUBLIC_URL, webhooks=(webhook,), retries=QUICK)


def test_the_signature_is_that_of_the_specification() -> None:
    """The example that comes with the specification's libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = webhook_signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_!!", "plain", SECRET.removeprefix("whsec_"), "whsec_QQ=="]
)
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        webhook_key(text)


async def test_while_the_secret_is_none_nothing_is_taken_or_sent_and_nobody_is_told_why(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path, "not-a-secret")) as console:
        approval = stage.desk.ask()
        await until(lambda: stage.findings)
        assert "whsec_" in stage.findings[0]["title"]
        said = message(decision(approval, "ann"))
        status, answer = await send(stage.http, f"{console}/integrations/webhooks/bus", said)
        assert (status, answer) == (503, {"error": "cannot be read"})
        (tmp_path / "secret-0").unlink()
        status, answer = await send(stage.http, f"{console}/integrations/webhooks/bus", said)
        assert status == 503
        (tmp_path / "secret-0").write_text(SECRET, encoding="utf-8")  # read again once it is right
        await until(lambda: hook.told)
    assert stage.desk.decided == []


async def test_what_is_asked_and_what_comes_of_it_is_sent_signed(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path)) as console:
        approval = stage.desk.ask(quorum=[{"reviewers": ["owners"], "people": 1}])
        await until(lambda: hook.told)
        _, told = hook.told[0]
        assert told["type"] == "approval.asked"
        assert told["data"]["approval_id"] == approval
        assert told["data"]["arguments"] == '{"name":"web-1"}'
        assert told["data"]["argument_digest"] == DIGEST
        assert told["data"]["requester"]["subject"] == "bob"
        assert told["data"]["url"] == f"{PUBLIC_URL}/approvals/{approval}"
        said = message(decision(approval, "ann", comment="fine"))
        status, answer = await send(stage.http, f"{console}/integrations/webhooks/bus", said)
        assert (status, answer["outcome"], answer["state"]) == (200, "counted", "approved")
        await until(lambda: len(hook.told) == 2)
        _, told = hook.told[1]
        assert (told["type"], told["data"]["state"]) == ("approval.settled", "approved")
        assert told["data"]["approvers"] == [f"{ISSUER}|ann"]
        assert len({name for name, _ in hook.told}) == 2
    assert stage.desk.decided == [("webhook.bus", "approve", f"{ISSUER}|ann", "fine")]


async def test_while_one_secret_replaces_another_the_receiver_may_know_either(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path, OTHER, SECRET)) as console:
        approval = stage.desk.ask()
        await until(lambda: hook.told)
        hook.secret = OTHER
        other = stage.desk.ask()
        await until(lambda: len(hook.told) == 2)
        url = f"{console}/integrations/webhooks/bus"
        assert (await send(stage.http, url, message(decision(approval, "ann"), secret=SECRET)))[0] == 200
        assert (await send(stage.http, url, message(decision(other, "ann"), secret=OTHER)))[0] == 200
    assert hook.wrong == 0


async def test_a_receiver_that_fails_gets_the_same_message_again(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    hook.faults = [(500, ""), (404, ""), (429, "1"), (302, "")]
    async with stage.running(bus(hook, tmp_path)):
        approval = stage.desk.ask()
        await until(lambda: hook.told)
        assert hook.told[0][0] == f"msg_{approval}_pending_0"
        assert len(hook.asked) == 5
    assert [finding["rule"] for finding in stage.findings] == ["approval-not-told"]
    assert "webhook bus" in stage.findings[0]["title"]


async def test_only_what_a_webhook_is_for_is_sent(stage: Stage, hook: HookServer, tmp_path: Path) -> None:
    async with stage.running(bus(hook, tmp_path, only=Only(connections=("staging",)))):
        stage.desk.ask()
        wanted = stage.desk.ask(connection="staging")
        await until(lambda: hook.told)
    assert [told["data"]["approval_id"] for _, told in hook.told] == [wanted]


async def test_abuse_80_what_is_not_signed_with_the_secret_or_not_now_is_refused(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path)) as console:
        approval, url = stage.desk.ask(), f"{console}/integrations/webhooks/bus"
        said = decision(approval, "ann")
        altered = message(said)
        altered.body = altered.body.replace(b"approve", b"deny   ")
        renamed = message(said)
        renamed.headers["webhook-id"] = "msg_other"
        unsigned = message(said)
        del unsigned.headers["webhook-signature"]
        wrong = [
            message(said, secret=OTHER),
            message(said, at=time.time() - 301),
            message(said, at=time.time() + 360),
            altered,
            renamed,
            unsigned,
            message(said, message_id="with blanks in it"),
        ]
        assert [(await send(stage.http, url, each))[0] for each in wrong] == [401] * len(wrong)
        assert (await send(stage.http, f"{console}/integrations/webhooks/other", message(said)))[0] == 404
        for document in ([], {"type": "approval.asked", "data": said["data"]}, 5):
            assert (await send(stage.http, url, message(document)))[0] == 400
    assert stage.desk.decided == []
    assert stage.desk.state(approval) == "pending"


async def test_a_message_that_comes_again_changes_nothing_and_is_told_how_it_stands(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path)) as console:
        url = f"{console}/integrations/webhooks/bus"
        approval = stage.desk.ask(quorum=[{"reviewers": ["owners"], "people": 2}])
        said = message(decision(approval, "ann"), message_id="msg_1")
        assert (await send(stage.http, url, said))[1]["outcome"] == "counted"
        assert await send(stage.http, url, said) == (
            200,
            {"approval_id": approval, "outcome": "repeated", "state": "pending"},
        )
    assert len(stage.desk.decided) == 1


async def test_what_could_not_be_decided_may_be_sent_again(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path)) as console:
        url, approval = f"{console}/integrations/webhooks/bus", stage.desk.ask()
        said = message(decision(approval, "ann"), message_id="msg_1")
        stage.desk.away = True
        assert (await send(stage.http, url, said))[0] == 503
        stage.desk.away = False
        assert (await send(stage.http, url, said))[1]["outcome"] == "counted"


async def test_abuse_75_neither_strangers_nor_the_requester_nor_other_verbs_decide(
    stage: Stage, hook: HookServer, tmp_path: Path
) -> None:
    async with stage.running(bus(hook, tmp_path)) as console:
        url, approval = f"{console}/integrations/webhooks/bus", stage.desk.ask()

        async def said(person: str, verb: str = "approve", which: str = approval) -> tuple[int, str]:
            status, answer = await send(stage.http, url, message(decision(which, person, verb)))
            return status, answer["detail"]

        assert await said("bob") == (409, "It does not count: nobody decides what they asked for themselves.")
        status, detail = await said("nobody")
        assert (status, "known as webhook:bus/nobody" in detail) == (403, True)
        assert (await said("../other/ann"))[0] == 403
        assert (await said("ann", "revoke"))[0] == 404
        assert (await said("ann", "tick"))[0] == 404
        assert (await said("ann", which="0190a8c0-0000-7000-8000-00000000ffff"))[0] == 404
        assert (await said("ann", which="no id"))[0] == 404
    assert stage.desk.state(approval) == "pending"


async def test_a_settled_approval_is_told_as_such(stage: Stage, hook: HookServer, tmp_path: Path) -> None:
    async with stage.running(bus(hook, tmp_path)) as console:
        url, approval = f"{console}/integrations/webhooks/bus", stage.desk.ask()
        await send(stage.http, url, message(decision(approval, "ann", "deny")))
        status, answer = await send(stage.http, url, message(decision(approval, "ann")))
        assert (status, answer["state"]) == (409, "denied")
        assert "it is denied already" in answer["detail"]
