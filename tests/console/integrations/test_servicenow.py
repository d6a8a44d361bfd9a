"""Approvals as records in ServiceNow: made by template, decided by whoever set the field, closed when settled."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.integrations.settings import IntegrationSettings, ServiceNow
from gateway.settings import SecretSource
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage, until
from tests.console.integrations.hook_server import OTHER, SECRET
from tests.console.integrations.servicenow_server import PASSWORD, USER, ServiceNowServer, nudge
from tests.processors.approvals.making import ISSUER


@pytest.fixture
async def snow() -> AsyncIterator[ServiceNowServer]:
    server = ServiceNowServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def instance(snow: ServiceNowServer, tmp_path: Path) -> ServiceNow:
    for name, text in (("password", PASSWORD), ("secret", SECRET)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return ServiceNow(
        url=snow.url,
        username=USER,
        password=SecretSource(file=tmp_path / "password"),
        fields={"assignment_group": "CAB", "category": "Software"},
        settled={"approved": {"state": "-1"}, "denied": {"state": "4", "close_code": "unsuccessful"}},
        poll_seconds=0.05,
        webhook_secrets=(SecretSource(file=tmp_path / "secret"),),
    )


def settings(instance: ServiceNow, **over: object) -> IntegrationSettings:
    changed = replace(instance, **over)  # type: ignore[arg-type]
    return IntegrationSettings(public_url=PUBLIC_URL, servicenow=changed, retries=QUICK)


async def looked(snow: ServiceNowServer, times: int = 3) -> None:
    """Returns once we have looked so often again."""
    looks = snow.asked.count("GET /api/now/table/change_request")
    await until(lambda: snow.asked.count("GET /api/now/table/change_request") >= looks + times)


async def test_whoever_gives_the_field_its_value_decides_with_their_comment(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance)):
        approval = stage.desk.ask()
        await until(lambda: snow.tables)
        record = snow.record()
        assert record["short_description"] == "Approval: delete_pod on prod for bob"
        assert (record["correlation_id"], record["assignment_group"]) == (approval, "CAB")
        for said in (
            "delete_pod",
            '{"name":"web-1"}',
            "the pod hangs",
            "1 of owners",
            f"{PUBLIC_URL}/approvals/{approval}",
        ):
            assert said in record["description"]
        await looked(snow)
        snow.change("ann.user", {"approval": "approved", "comments": "fine with me"})
        await until(lambda: stage.desk.state(approval) == "approved")
        assert stage.desk.decided == [("servicenow", "approve", f"{ISSUER}|ann", "fine with me")]
        await until(snow.said)
        assert snow.said() == [f"It is approved by {ISSUER}|ann: fine with me."]
        assert snow.record()["state"] == "-1"
        assert "GET /api/now/table/sys_audit" not in snow.asked


async def test_who_saved_the_record_later_did_not_decide(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance, poll_seconds=600.0)) as console:
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("servicenow")[0]["external_id"])
        snow.change("mallory", {"approval": "approved"})
        snow.change("ann.user", {"comments": "why is this approved?"})
        assert await nudge(stage.http, console) == 200
        await until(snow.said)
        assert "Nobody here is known as servicenow:mallory" in snow.said()[0]
        assert stage.desk.state(approval) == "pending"


async def test_when_nobody_can_say_who_decided_nobody_did(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    snow.closed = {"sys_audit", "sys_journal_field"}
    async with stage.running(settings(instance, poll_seconds=600.0)) as console:
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("servicenow")[0]["external_id"])
        snow.change("mallory", {"approval": "approved"})
        snow.change("ann.user", {"comments": "why is this approved?"})
        assert await nudge(stage.http, console) == 200
        await until(snow.said)
        assert "it cannot be told who decided" in snow.said()[0]
        snow.change("eve.user", {"approval": "requested"})
        assert await nudge(stage.http, console) == 200
        await looked(snow, 1)
        snow.change("eve.user", {"approval": "approved"})
        assert await nudge(stage.http, console) == 200
        await until(lambda: stage.desk.state(approval) == "approved")
    assert stage.desk.decided == [("servicenow", "approve", f"{ISSUER}|eve", "")]


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("bob.user", "nobody decides what they asked for themselves"),
        ("nobody.user", "Nobody here is known as servicenow:nobody.user"),
        (USER, f"Nobody here is known as servicenow:{USER}"),
    ],
)
async def test_abuse_75_who_may_not_decide_is_told_so_once(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow, who: str, says: str
) -> None:
    async with stage.running(settings(instance)):
        approval = stage.desk.ask()
        await until(lambda: snow.tables)
        await looked(snow)
        snow.change(who, {"approval": "approved"})
        await until(snow.said)
        await looked(snow)
    async with stage.running(settings(instance)):
        await looked(snow, 4)
        (said,) = snow.said()
        assert says in said
        assert stage.desk.state(approval) == "pending"
        snow.change(who, {"approval": "requested"})
        await looked(snow)
        snow.change("ann.user", {"approval": "rejected"})
        await until(lambda: stage.desk.state(approval) == "denied")
        await until(lambda: snow.record()["state"] == "4")


async def test_a_record_whose_text_somebody_changed_approves_nothing_but_may_deny(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance)):
        approval = stage.desk.ask()
        await until(lambda: snow.tables)
        await looked(snow)
        snow.change("bob.user", {"description": "something harmless"})
        await looked(snow)
        snow.change("ann.user", {"approval": "approved"})
        await until(snow.said)
        assert "somebody changed what this ticket says was asked" in snow.said()[0]
        assert stage.desk.state(approval) == "pending"
        snow.change("ann.user", {"approval": "rejected"})
        await until(lambda: stage.desk.state(approval) == "denied")


async def test_a_record_that_somebody_else_made_for_an_approval_decides_nothing(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance)):
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("servicenow")[0]["external_id"])
        snow.record()["sys_created_by"] = "bob.user"
        await looked(snow)
        snow.change("ann.user", {"approval": "approved"})
        await looked(snow)
        assert stage.desk.state(approval) == "pending"
        assert stage.desk.decided == []


async def test_arguments_too_long_for_a_record_are_not_approved_by_it(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance)):
        approval = stage.desk.ask(arguments=b'"' + b"x" * 5_000 + b'"')
        await until(lambda: snow.tables)
        await looked(snow)
        snow.change("ann.user", {"approval": "approved"})
        await until(snow.said)
        assert "longer than this ticket shows" in snow.said()[0]
        assert stage.desk.state(approval) == "pending"


async def test_another_table_and_another_field_may_decide(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    task = {
        "table": "sc_task",
        "decision_field": "state",
        "approve_values": ("3",),
        "deny_values": ("4", "7"),
    }
    async with stage.running(settings(instance, **task)):
        approval = stage.desk.ask()
        await until(lambda: snow.tables)
        (sys_id,) = snow.tables["sc_task"]
        snow.change("ann.user", {"state": "7"}, "sc_task", sys_id)
        await until(lambda: stage.desk.state(approval) == "denied")


async def test_what_is_settled_elsewhere_is_told_and_closed(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance)):
        approval = stage.desk.ask()
        await until(lambda: snow.tables)
        ann = stage.desk.people.person_of("slack", "T1/UANN")
        assert ann
        await stage.desk.decide(approval, "deny", ann, "by hand")
        await until(snow.said)
        assert snow.said() == ["It is denied: by hand."]
        assert (snow.record()["state"], snow.record()["close_code"]) == ("4", "unsuccessful")


async def test_abuse_80_only_a_signed_call_makes_us_look(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    async with stage.running(settings(instance, poll_seconds=600.0)) as console:
        approval = stage.desk.ask()
        await until(lambda: stage.book.rows and stage.book.entries("servicenow")[0]["external_id"])
        snow.change("ann.user", {"approval": "approved"})
        assert await nudge(stage.http, console, secret=OTHER) == 401
        assert await nudge(stage.http, console, at=time.time() - 301) == 401
        assert stage.desk.state(approval) == "pending"
        assert await nudge(stage.http, console, name="once") == 200
        await until(lambda: stage.desk.state(approval) == "approved")
        looks = snow.asked.count("GET /api/now/table/change_request")
        assert await nudge(stage.http, console, name="once") == 200
        assert snow.asked.count("GET /api/now/table/change_request") == looks


async def test_a_restart_and_a_lost_answer_make_no_second_record(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    snow.silent = True
    approval = stage.desk.ask()
    async with stage.running(settings(instance)):
        await until(lambda: stage.book.rows and stage.book.entries("servicenow")[0]["external_id"])
    snow.change("ann.user", {"approval": "approved"})
    async with stage.running(settings(instance)):
        await until(lambda: stage.desk.state(approval) == "approved")
    assert len(snow.tables["change_request"]) == 1


async def test_servicenow_down_busy_and_up_again(
    stage: Stage, snow: ServiceNowServer, instance: ServiceNow
) -> None:
    await snow.stop()
    async with stage.running(settings(instance)):
        stage.desk.ask()
        await until(lambda: "approval-not-told" in {each["rule"] for each in stage.findings})
        snow.faults = [(429, "1"), (503, "")]
        await snow.start()
        await until(lambda: snow.tables)
    assert PASSWORD not in repr(stage.findings)
