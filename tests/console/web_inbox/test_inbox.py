"""The inbox: what waits first, filters in the URL, news by server-sent events, and delegations."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.console.conftest import Floor, comes_to
from tests.console.web.browsing import Browser, Page
from tests.console.web_inbox.conftest import Desk
from tests.processors.approvals.making import ISSUER


def section(page: Page, name: str) -> str:
    """The HTML of one section of the inbox."""
    found = re.search(rf'<section aria-labelledby="section-{name}">(.*?)</section>', page.text, re.DOTALL)
    return found[1] if found else ""


async def test_what_waits_for_a_person_comes_first_then_what_the_person_asked(
    settled: Floor, desk: Desk
) -> None:
    name = uuid4().hex
    waiting = await desk.asked(connection=name)
    mine = await desk.asked(connection=name, principal_subject="ann")
    done = await desk.asked(connection=name)
    ann = desk.as_("ann", "owners")
    form = (await ann.get(f"/approvals/{done}/decision?verb=deny")).form(f"/approvals/{done}/decision")
    assert (await ann.send(form)).status == 200
    page = await ann.get(f"/approvals?connection={name}")
    places = [
        approval in section(page, part)
        for approval, part in ((waiting, "waiting"), (mine, "mine"), (done, "others"))
    ]
    assert places == [True, True, True]
    assert (
        page.text.index("section-waiting")
        < page.text.index("section-mine")
        < page.text.index("section-others")
    )
    assert "0 of 1 agreed" in section(page, "waiting")


async def test_filters_stand_in_the_url_and_a_misspelt_one_is_refused(settled: Floor, desk: Desk) -> None:
    name = uuid4().hex
    approval = await desk.asked(connection=name)
    ann = desk.as_("ann", "owners")
    assert approval in (await ann.get(f"/approvals?connection={name}&state=pending&requester=bob")).text
    assert approval not in (await ann.get(f"/approvals?connection={name}&state=denied")).text
    assert "Nothing fits these filters" in (await ann.get(f"/approvals?connection={name}&kind=access")).text
    for query in ("conection=x", "state=maybe", "after=1", "show=all"):
        assert (await ann.get(f"/approvals?{query}")).status == 400, query


async def test_a_long_section_is_shown_page_by_page(settled: Floor, desk: Desk) -> None:
    name = uuid4().hex
    made = [await desk.floor.ask(connection=name, principal_aliases=[]) for _ in range(53)]
    for approval in made:
        await comes_to(desk.served.console.desk, approval, "pending")
    ann = desk.as_("ann", "owners")
    assert "Show 33 more" in (await ann.get(f"/approvals?connection={name}")).text
    first = await ann.get(f"/approvals?connection={name}&show=waiting")
    link = re.search(r'<a href="([^"]+)" rel="next"', first.text)
    assert link is not None
    second = await ann.get(link[1].replace("&amp;", "&"))
    shown = [set(re.findall(r'data-id="([^"]+)"', page.text)) for page in (first, second)]
    assert (len(shown[0]), shown[0] & shown[1], shown[0] | shown[1]) == (50, set(), set(made))


class Stream:
    """A feed of events, as a browser reads it."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def until(self, approval: str) -> list[dict[str, Any]]:
        """All events up to the first one of that approval."""
        told: list[dict[str, Any]] = []
        while not told or told[-1]["id"] != approval:
            line = await self._answer.content.readline()
            assert line, "the feed ended"
            if line.startswith(b"data: "):
                told.append(json.loads(line[6:]))
        return told

    async def end(self) -> None:
        """Returns when the console has ended it."""
        while await self._answer.content.readline():
            pass


async def followed(desk: Desk, browser: Browser) -> aiohttp.ClientResponse:
    cookies = next(iter(browser.cookies.values()))
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    http = desk.served.http
    return await http.get(desk.served.url + "/approvals/events", headers={"Cookie": header}).__aenter__()


async def test_a_change_is_told_to_those_who_see_it_and_to_nobody_else(settled: Floor, desk: Desk) -> None:
    async with asyncio.timeout(60):
        ann, zoe = (
            await followed(desk, desk.as_("ann", "owners")),
            await followed(desk, desk.as_("zoe", "others")),
        )
        assert (ann.status, ann.content_type) == (200, "text/event-stream")
        hers = await desk.asked(tool="for-owners")
        theirs = await desk.asked(quorum=[{"reviewers": ["others"], "people": 1}])
        said = (await Stream(ann).until(hers))[-1]
        assert (said["call"], said["connection"]) == ("for-owners", "prod")
        assert hers not in [said["id"] for said in await Stream(zoe).until(theirs)]
        ann.close()
        zoe.close()


async def test_the_feed_ends_with_the_login(settled: Floor, desk: Desk) -> None:
    ann, other = desk.as_("ann", "owners"), desk.as_("ann", "owners")
    feed, kept = await followed(desk, ann), await followed(desk, other)
    page = await ann.get("/approvals")
    assert (await ann.send(page.form("/logout"))).status == 200
    async with asyncio.timeout(30):
        await Stream(feed).end()
        approval = await desk.asked()
        await Stream(kept).until(approval)
    kept.close()
    again = await followed(desk, ann)
    assert again.status == 401
    again.close()


async def test_the_feed_takes_no_bearer_token_and_the_api_no_cookie(desk: Desk) -> None:
    ann = desk.as_("ann", "owners")
    cookies = "; ".join(f"{k}={v}" for k, v in next(iter(ann.cookies.values())).items())
    http, url = desk.served.http, desk.served.url
    async with http.get(url + "/approvals/events", headers={"Authorization": "Bearer x"}) as answer:
        assert answer.status == 401
    async with http.get(url + "/api/approvals", headers={"Cookie": cookies}) as answer:
        assert answer.status == 401


async def test_somebody_follows_in_so_many_windows_and_no_more(desk: Desk) -> None:
    ann = desk.as_("ann", "owners")
    most = desk.served.console.settings.api.feeds_by_person_max
    feeds = [await followed(desk, ann) for _ in range(most)]
    for feed in feeds:
        assert await feed.content.readline()
    async with desk.served.http.get(desk.served.url + "/metrics") as answer:
        assert f"sluicegate_console_feeds {most}.0" in await answer.text()
    refused = await followed(desk, ann)
    assert refused.status == 429
    for feed in (*feeds, refused):
        feed.close()


async def test_a_delegation_is_given_used_and_taken_back_on_the_pages(settled: Floor, desk: Desk) -> None:
    ann, guest = desk.as_("ann", "owners"), desk.as_("guest", "others")
    approval = await desk.asked()
    assert (await guest.get(f"/approvals/{approval}")).status == 404
    page = await ann.get("/approvals/delegations")
    form = page.form("/approvals/delegations")
    why = f"holiday {approval}"
    page = await ann.send(form, to=f"{ISSUER}|guest", days="7", reason=why)
    assert (page.status, f"<td>{why}</td>" in page.text) == (200, True)
    page = await guest.get(f"/approvals/{approval}")
    assert f"instead of {ISSUER}|ann" in page.text
    form = next(form for form in page.forms() if form.fields.get("verb") == "approve")
    delegation = form.fields["delegation_id"]
    assert (await guest.send(form)).status == 200
    await comes_to(desk.served.console.desk, approval, "approved")
    page = await ann.get("/approvals/delegations")
    end = next(form for form in page.forms() if form.action.endswith(f"/{delegation}/end"))
    assert f"<td>{why}</td>" not in (await ann.send(end)).text
    assert (await guest.get(f"/approvals/{await desk.asked()}")).status == 404


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"to": "guest"}, "ISSUER|SUBJECT"),
        ({"days": "365"}, "choose for how long"),
        ({"to": f"{ISSUER}|ann"}, "nobody needs a delegation to themselves"),
    ],
)
async def test_a_delegation_that_cannot_be_meant_changes_nothing(
    desk: Desk, changes: dict[str, str], why: str
) -> None:
    ann = desk.as_("ann", "owners")
    form = (await ann.get("/approvals/delegations")).form("/approvals/delegations")
    page = await ann.send(form, **{"to": f"{ISSUER}|guest", "days": "7", **changes})
    assert (page.status in (409, 422), why in page.text) == (True, True)


async def test_a_broken_glass_waits_to_be_looked_at_and_that_takes_a_comment(
    settled: Floor, desk: Desk
) -> None:
    approval = await desk.floor.ask(
        kind="break_glass",
        principal_aliases=[],
        principal_groups=["developers", "on-call"],
        break_glass_groups=["on-call"],
        review_seconds=600,
        grant_seconds=60,
        uses_max=1,
    )
    await comes_to(desk.served.console.desk, approval, "approved")
    ann = desk.as_("ann", "owners")
    assert approval in section(await ann.get("/approvals?show=waiting&kind=break_glass"), "waiting")
    page = await ann.get(f"/approvals/{approval}")
    form = next(form for form in page.forms() if form.fields.get("verb") == "review")
    assert (await ann.send(form)).status == 409
    page = await ann.send(form, comment="it was right")
    assert (page.status, "looked at by" in page.text) == (200, True)


async def test_how_like_requests_ended_and_what_the_session_did_before_stand_beside_the_call(
    settled: Floor, desk: Desk
) -> None:
    tool = f"drop-{uuid4().hex[:8]}"
    earlier = await desk.asked(tool=tool, principal_subject="carl")
    ann = desk.as_("ann", "owners")
    page = await ann.get(f"/approvals/{earlier}/decision?verb=deny")
    await ann.send(page.form(f"/approvals/{earlier}/decision"), comment="never in the morning")
    await comes_to(desk.served.console.desk, earlier, "denied")
    page = await ann.get(f"/approvals/{await desk.asked(tool=tool)}")
    assert f"{tool} on prod:" in page.text
    assert "1 denied" in page.text
    assert "never in the morning" in page.text


async def test_it_is_told_when_the_rule_lets_nobody_approve_now(settled: Floor, desk: Desk) -> None:
    other_day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    approval = await desk.asked(hours=f"{other_day} 08:00-18:00 Europe/Berlin")
    page = await desk.as_("ann", "owners").get(f"/approvals/{approval}")
    assert "which is not now" in page.text
