"""Findings on the pages: evidence that leads into the replay, and what people say, on the record as on a terminal."""

from __future__ import annotations

import time
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from console.web.settings import RoleGroups, Team
from schemas.control import silenced_rule
from schemas.findings import FindingRecord
from tests.console.web.browsing import Page
from tests.console.web_inbox.conftest import Desk
from tests.processors.approvals.making import ISSUER
from tests.processors.trail import fill, until
from tests.sinks.records import Trail
from tests.support.topics import records

TEAMS = (Team("payments", ("payments",), ("pay",)), Team("owners", ("owners",), ("prod",)))
SCOPED = {"roles": RoleGroups(viewer=("payments", "owners"), approver=("owners",)), "teams": TEAMS}


def rule_of_its_own() -> str:
    return f"secret-reads-{uuid4().hex[:8]}"


async def acts_on(desk: Desk, record: FindingRecord) -> list[dict[str, Any]]:
    """What topic findings has of it."""
    found = await records(desk.floor.broker, "findings", "finding")
    return [act for act in found if str(act["finding_id"]) == record["finding_id"]]


async def test_a_finding_is_acknowledged_closed_and_opened_again_as_by_the_command_line(desk: Desk) -> None:
    record = await desk.raised(rule_of_its_own())
    path, ann = f"/findings/{record['finding_id']}", desk.as_("ann", "owners")
    page = await ann.send((await ann.get(path)).form(path), act="acknowledge", comment="I look")
    assert (page.status, page.path, "I look" in page.text) == (200, path, True)
    page = await ann.send(page.form(path), act="close", verdict="false-positive", comment="a drill")
    assert f"closed by console:{ISSUER}|ann" in unescape(page.text)
    page = await ann.send(page.form(path), act="reopen", comment="it was not")
    page = await ann.send(page.form(path), act="close", verdict="true-positive")
    assert [
        (act["act"], act["verdict"], act["comment"], act["by"]) for act in await acts_on(desk, record)
    ] == [
        ("raised", "", "", ""),
        ("acknowledged", "", "I look", f"console:{ISSUER}|ann"),
        ("closed", "false-positive", "a drill", f"console:{ISSUER}|ann"),
        ("reopened", "", "it was not", f"console:{ISSUER}|ann"),
        ("closed", "true-positive", "", f"console:{ISSUER}|ann"),
    ]
    said = await desk.floor.acts(record["finding_id"])
    assert [(act["action"], act["outcome"]) for act in said if act["action"] != "finding.view"][:4] == [
        ("finding.acknowledge", "asked"),
        ("finding.acknowledge", "done"),
        ("finding.close", "asked"),
        ("finding.close", "done"),
    ]
    assert "finding.view" in [act["action"] for act in said]


async def test_an_act_keeps_what_was_known_of_the_finding(desk: Desk) -> None:
    record = await desk.raised(rule_of_its_own(), count=7, attributes={"value": "7", "threshold": "3"})
    path, ann = f"/findings/{record['finding_id']}", desk.as_("ann", "owners")
    await ann.send((await ann.get(path)).form(path), act="acknowledge")
    raised, said = await acts_on(desk, record)
    kept = ("rule", "severity", "title", "evidence", "count", "attributes")
    assert [raised[name] for name in kept] == [said[name] for name in kept]


async def test_who_comes_late_is_told_and_nothing_is_written(desk: Desk) -> None:
    record = await desk.raised(rule_of_its_own())
    path, ann, eve = f"/findings/{record['finding_id']}", desk.as_("ann", "owners"), desk.as_("eve", "owners")
    before = (await eve.get(path)).form(path)
    await ann.send((await ann.get(path)).form(path), act="close", verdict="benign")
    late = await eve.send(before, act="close", verdict="true-positive", comment="look again")
    assert (late.status, "somebody was faster" in late.text, "look again" in late.text) == (409, True, True)
    assert len(await acts_on(desk, record)) == 2


@pytest.mark.parametrize(
    "fields", [{"act": "close"}, {"act": "close", "verdict": "maybe"}, {"act": "forget"}]
)
async def test_what_cannot_be_meant_changes_nothing(desk: Desk, fields: dict[str, str]) -> None:
    record = await desk.raised(rule_of_its_own())
    path, ann = f"/findings/{record['finding_id']}", desk.as_("ann", "owners")
    page = await ann.send((await ann.get(path)).form(path), **{"verdict": "", **fields})
    assert page.status == 409
    assert len(await acts_on(desk, record)) == 1


async def test_who_may_only_look_has_no_form_and_sends_none(desk: Desk) -> None:
    record = await desk.raised(rule_of_its_own())
    path, vera = f"/findings/{record['finding_id']}", desk.as_("vera", "viewers")
    page = await vera.get(path)
    assert [form.action for form in page.forms()] == ["/logout"]
    csrf = page.form("/logout").fields["csrf"]
    assert (await vera.post(path, {"csrf": csrf, "seen": "open.0", "act": "acknowledge"})).status == 403
    assert (await vera.post("/findings/silences", {"csrf": csrf, "rule": "x", "for": "2h"})).status == 403
    assert (await desk.as_("zoe", "others").get("/findings")).status == 403


async def test_who_decides_on_approvals_but_may_not_look_and_an_auditor_change_no_finding(desk: Desk) -> None:
    record = await desk.raised(rule_of_its_own())
    path = f"/findings/{record['finding_id']}"
    for person in (desk.as_("zoe", "others"), desk.as_("olga", "owners", "auditors")):
        csrf = (await person.get("/approvals")).form("/logout").fields["csrf"]
        page = await person.post(path, {"csrf": csrf, "seen": "open.0", "act": "acknowledge"})
        assert (page.status, record["title"] in page.text) == (403, False)
    assert len(await acts_on(desk, record)) == 1


@pytest.mark.parametrize("desk", [SCOPED], indirect=True)
async def test_abuse_85_a_finding_of_another_team_is_not_there_and_the_try_is_on_the_record(
    desk: Desk,
) -> None:
    record = await desk.raised(rule_of_its_own())
    pay, ann = desk.as_("petra", "payments"), desk.as_("ann", "owners")
    path = f"/findings/{record['finding_id']}"
    refused, nothing = await pay.get(path), await pay.get(f"/findings/{uuid4()}")
    assert (refused.status, refused.text.replace(path, "")) == (404, nothing.text.replace(nothing.path, ""))
    assert (await ann.get(path)).status == 200
    assert record["finding_id"] not in (await pay.get("/findings")).text
    (act,) = [a for a in await desk.floor.acts(record["finding_id"]) if a["action"] == "trail.refused"]
    assert (act["actor_subject"], act["outcome"]) == ("petra", "refused")


async def test_filters_stand_in_the_url_and_a_misspelt_one_is_refused(desk: Desk) -> None:
    rule = rule_of_its_own()
    record = await desk.raised(rule)
    ann = desk.as_("ann", "owners")
    wanted = {
        "": True,
        "&state=open": True,
        "&state=closed": False,
        "&connection=stage": False,
        "&severity=high&principal=ann": True,
    }
    for query, there in wanted.items():
        page = await ann.get(f"/findings?rule={rule}{query}")
        assert (page.status, record["finding_id"] in page.text) == (200, there), query
    for query in ("state=shut", "rules=x", "severity=bad"):
        assert (await ann.get(f"/findings?{query}")).status == 400, query
    injected = await ann.get("/findings?rule=' OR 1=1 --")
    assert (injected.status, "/findings/" + record["finding_id"] in injected.text) == (200, False)


async def test_many_findings_are_shown_page_by_page_and_none_twice(desk: Desk) -> None:
    rule, ann = rule_of_its_own(), desk.as_("ann", "owners")
    made = [await desk.raised(rule) for _ in range(3)]
    rows = [page_rows(await ann.get(f"/findings?rule={rule}"))]
    assert rows[0] == [record["finding_id"] for record in reversed(made)]
    second = await desk.reader.finding(made[1]["finding_id"])
    assert second is not None
    first = await ann.get(f"/findings?rule={rule}&before={second['raised_at']}")
    assert page_rows(first) == [made[0]["finding_id"]]


def page_rows(page: Page) -> list[str]:
    return [part.split('"')[0] for part in page.text.split('<tr data-href="/findings/')[1:]]


async def test_evidence_leads_to_the_frame_and_into_the_replay_and_the_window_is_explained(
    desk: Desk,
) -> None:
    trail = Trail(lane=f"web/{uuid4()}/0/0", started_us=time.time_ns() // 1_000)
    session, frame = str(uuid4()), str(uuid4())
    value = trail.frame(b"{}", frame_id=frame, session_id=session, connection="prod", tool="get_secret")
    await fill(desk.floor.broker, "audit", [(0, session.encode(), value)])

    async def stored() -> bool:
        return await desk.reader.frame(frame) is not None

    await until(stored, 60)
    facts = {
        "feature": "sensitive_reads",
        "value": "140",
        "threshold": "20",
        "baseline": "3.2 ± 1.1 over 12 windows",
        "window_start": "1790000000000000",
        "window_end": "1790003600000000",
        "explanation": "140 reads within the hour.",
        "technique": "T1552.007",
    }
    record = await desk.raised(rule_of_its_own(), evidence=[frame, "audit-0-17"], attributes=facts)
    text = unescape((await desk.as_("ann", "owners").get(f"/findings/{record['finding_id']}")).text)
    for part in (f'href="/frames/{frame}"', f'href="/sessions/{session}#', "get_secret", "audit-0-17"):
        assert part in text, part
    for part in (
        "140 reads within the hour.",
        "sensitive reads",
        "3.2 ± 1.1 over 12 windows",
        "2026-09-21 14:13",
    ):
        assert part in text, part
    assert "https://attack.mitre.org/techniques/T1552/007/" in text


async def test_the_rate_of_false_positives_is_by_rule(desk: Desk) -> None:
    rule, ann = rule_of_its_own(), desk.as_("ann", "owners")
    for verdict in ("false-positive", "true-positive"):
        path = f"/findings/{(await desk.raised(rule))['finding_id']}"
        await ann.send((await ann.get(path)).form(path), act="close", verdict=verdict)
    page = await ann.get("/findings/rules")
    row = page.text[page.text.index(rule) :].split("</tr>")[0]
    assert "50 %" in row


async def test_an_admin_silences_a_rule_for_a_while_and_ends_it(desk: Desk) -> None:
    rule, root = rule_of_its_own(), desk.as_("root", "admins")
    page = await root.get(f"/findings/silences?rule={rule}")
    control = desk.served.console.control
    await root.send(page.form("/findings/silences"), **{"for": "2h", "reason": "maintenance"})

    def held() -> list[Any]:
        return [r for r in control.records() if r["kind"] == "alerts_silenced" and silenced_rule(r) == rule]

    await until(lambda: _is(bool(held())), 30)
    assert (held()[0]["reason"], held()[0]["by"]) == ("maintenance", f"console:{ISSUER}|root")
    said = [(act["action"], act["outcome"]) for act in await desk.floor.acts(rule)]
    assert said == [("finding.silence", "asked"), ("finding.silence", "done")]
    page = await root.get("/findings/silences")
    end = next(f for f in page.forms() if f.action.endswith("/end") and rule in f.fields["target"])
    await root.send(end)
    await until(lambda: _is(not held()), 30)


async def _is(fact: bool) -> bool:
    return fact


@pytest.mark.parametrize("changes", [{"reason": ""}, {"for": "9y"}, {"rule": ""}])
async def test_a_silence_that_cannot_be_meant_is_none(desk: Desk, changes: dict[str, str]) -> None:
    root = desk.as_("root", "admins")
    form = (await root.get("/findings/silences")).form("/findings/silences")
    page = await root.send(form, **{"rule": "x", "for": "2h", "reason": "why", **changes})
    assert page.status == 409
