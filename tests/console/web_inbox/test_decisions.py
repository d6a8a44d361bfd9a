"""Decisions on the pages: through the desk as over the API, with the same records and the same refusals."""

from __future__ import annotations

import asyncio
from html import unescape
from pathlib import Path

from tests.console.conftest import Floor, comes_to
from tests.console.web.browsing import Browser, Page
from tests.console.web.serving import served_web, web_settings
from tests.console.web_inbox.conftest import ROLES, Desk
from tests.processors.approvals.making import DIGEST, ISSUER


async def decided(browser: Browser, approval: str, verb: str, **changes: str) -> Page:
    """As a person does it: the page, then the form of its dialog."""
    page = await browser.get(f"/approvals/{approval}")
    forms = [form for form in page.forms() if form.fields.get("verb") == verb]
    assert forms, page.text
    return await browser.send(forms[0], **changes)


async def test_an_approval_by_a_page_counts_and_is_on_the_record_as_one_over_the_api(
    settled: Floor, desk: Desk
) -> None:
    approval = await desk.asked()
    page = await decided(desk.as_("ann", "owners"), approval, "approve", comment="ticket 4711")
    assert (page.status, page.path) == (200, f"/approvals/{approval}")
    standing = desk.served.console.desk.standing(approval)
    assert standing is not None
    assert (standing.state, standing.settled and standing.settled["approvers"]) == (
        "approved",
        [f"{ISSUER}|ann"],
    )
    acts = [act for act in await settled.acts(approval) if act["action"] == "approval.approve"]
    assert [(act["outcome"], act["actor_subject"], act["reason"]) for act in acts] == [
        ("asked", "ann", "ticket 4711"),
        ("done", "ann", "ticket 4711"),
    ]
    assert "ticket 4711" in page.text


async def test_the_page_shows_the_exact_call_and_that_somebody_looked_is_on_the_record_before(
    settled: Floor, desk: Desk
) -> None:
    approval = await desk.asked(arguments=b'{"replicas":1.0,"name":"web-1","name":"web-2"}', hours="")
    page = await desk.as_("ann", "owners").get(f"/approvals/{approval}")
    lines = ['"replicas": 1.0,', '"name": "web-1",', '"name": "web-2"']
    assert "\n  ".join(lines) in unescape(page.text)
    for text in (DIGEST, "9a" * 32, "deletes", "the pod hangs", "1 of owners", "0 of 1"):
        assert text in page.text, text
    looked = [act for act in await settled.acts(approval) if act["action"] == "approval.view"]
    assert [(act["actor_subject"], act["outcome"]) for act in looked] == [("ann", "done")]


async def test_without_a_script_the_buttons_lead_to_a_page_that_asks_the_same(
    settled: Floor, desk: Desk
) -> None:
    approval = await desk.asked()
    ann = desk.as_("ann", "owners")
    page = await ann.get(f"/approvals/{approval}/decision?verb=deny")
    assert "web-1" in page.text
    page = await ann.send(page.form(f"/approvals/{approval}/decision"), comment="not on a Friday")
    assert page.status == 200
    await comes_to(desk.served.console.desk, approval, "denied")


async def test_two_who_decide_at_once_are_told_whose_word_counted(settled: Floor, desk: Desk) -> None:
    approval = await desk.asked()
    both = await asyncio.gather(
        decided(desk.as_("ann", "owners"), approval, "approve"),
        decided(desk.as_("eve", "owners"), approval, "deny", comment="too risky"),
    )
    assert sorted(page.status for page in both) == [200, 409]
    late = next(page for page in both if page.status == 409)
    assert "It was not decided" in late.text
    assert "already" in late.text


async def test_a_rule_that_demands_a_comment_is_asked_for_in_the_form_and_held_by_the_processor(
    settled: Floor, desk: Desk
) -> None:
    approval = await desk.asked(comment_required=True)
    ann = desk.as_("ann", "owners")
    assert "required autofocus" in (await ann.get(f"/approvals/{approval}")).text
    page = await decided(ann, approval, "approve", comment=" ")
    assert (page.status, "the rule demands a comment" in page.text) == (409, True)
    assert (await decided(ann, approval, "approve", comment="I know")).status == 200
    await comes_to(desk.served.console.desk, approval, "approved")


async def test_who_asked_has_no_button_and_a_forged_form_changes_nothing(settled: Floor, desk: Desk) -> None:
    approval = await desk.asked()
    bob = desk.as_("bob", "owners", "admins")
    page = await bob.get(f"/approvals/{approval}")
    assert "You asked for it, and nobody decides what they asked for" in page.text
    assert [form.fields["verb"] for form in page.forms() if "verb" in form.fields] == ["revoke"]
    own = next(form for form in page.forms() if form.fields.get("verb") == "revoke")
    refused = await bob.send(own, verb="approve")
    assert (refused.status, "nobody decides what they asked for themselves" in refused.text) == (409, True)
    assert (await bob.send(own, comment="never mind")).status == 200
    await comes_to(desk.served.console.desk, approval, "revoked")


async def test_an_approver_of_another_group_finds_nothing_and_decides_nothing(
    settled: Floor, desk: Desk
) -> None:
    approval = await desk.asked()
    stranger = desk.as_("zoe", "others")
    page = await stranger.get(f"/approvals/{approval}")
    assert (page.status, "web-1" in page.text) == (404, False)
    assert approval not in (await stranger.get("/approvals")).text
    csrf = (await stranger.get("/approvals")).form("/logout").fields["csrf"]
    fields = {"csrf": csrf, "verb": "approve", "digest": DIGEST}
    assert (await stranger.post(f"/approvals/{approval}/decision", fields)).status == 404
    standing = desk.served.console.desk.standing(approval)
    assert standing is not None
    assert standing.state == "pending"


async def test_whose_role_is_to_look_decides_nothing(settled: Floor, desk: Desk) -> None:
    approval = await desk.asked()
    auditor = desk.as_("olga", "auditors")
    page = await auditor.get(f"/approvals/{approval}")
    assert (page.status, [f for f in page.forms() if "verb" in f.fields]) == (200, [])
    fields = {"csrf": page.form("/logout").fields["csrf"], "verb": "deny", "digest": DIGEST}
    refused = await auditor.post(f"/approvals/{approval}/decision", fields)
    assert (refused.status, "the role approver" in refused.text) == (403, True)


async def test_abuse_86_a_decision_that_another_site_sends_is_refused(settled: Floor, desk: Desk) -> None:
    approval = await desk.asked()
    ann = desk.as_("ann", "owners")
    form = next(
        f for f in (await ann.get(f"/approvals/{approval}")).forms() if f.fields.get("verb") == "approve"
    )
    assert (await ann.post(form.action, form.fields, "https://evil.example")).status == 403
    assert (await ann.post(form.action, form.fields, "")).status == 403
    assert (await ann.send(form, csrf="guessed")).status == 403
    assert (
        await ann.send(form, csrf=desk_token(await desk.as_("ann", "owners").get("/approvals")))
    ).status == 403
    standing = desk.served.console.desk.standing(approval)
    assert standing is not None
    assert (standing.state, standing.history[-1].verb) == ("pending", "")


def desk_token(page: Page) -> str:
    """That of another login."""
    return page.form("/logout").fields["csrf"]


async def test_decisions_go_on_while_the_store_is_away(settled: Floor, tmp_path: Path) -> None:
    async with served_web(settled, tmp_path, web=web_settings(tmp_path, roles=ROLES)) as served:
        desk = Desk(served, settled)
        approval = await desk.asked()
        ann = desk.as_("ann", "owners")
        page = await ann.get(f"/approvals/{approval}")
        assert (page.status, "The trail cannot be read right now" in page.text) == (200, True)
        assert (await decided(ann, approval, "approve")).status == 200
        assert (await ann.get("/findings")).status == 503


async def test_a_decision_is_for_the_call_that_was_seen(settled: Floor, desk: Desk) -> None:
    approval = await desk.asked()
    ann = desk.as_("ann", "owners")
    page = await decided(ann, approval, "approve", digest="ab" * 32)
    assert (page.status, "the call is not the one that was asked for" in page.text) == (409, True)
    page = await decided(ann, approval, "approve", digest="")
    assert (page.status, "the digest of the call" in page.text) == (422, True)
