"""Ten things that people do, from the login to the report in hand. Each is a sentence and what is done."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.agents import agent, called, text_of
from tests.browser.chromium import Person, person, picture
from tests.browser.stack import Stack
from tests.support.pdf import texts

IMAGES = Path(__file__).parents[2] / "docs" / "images"
NEWS_SECONDS = 30.0


@dataclass
class Bench:
    """What a task works with. `alice` is of the SRE, who are admins; `pictures`: whether the README's are made."""

    stack: Stack
    browser: Browser
    alice: Person
    pictures: bool

    async def shot(self, page: Page, name: str) -> None:
        """A picture for the README, where they are wanted."""
        if self.pictures:
            await picture(page, IMAGES / f"{name}.png")


Task = Callable[[Bench], Awaitable[None]]


async def logs_in_and_sees_how_things_are(bench: Bench) -> None:
    """Alice logs in at her provider, comes back to the overview, and sees what went on."""
    page = await bench.alice.logs_in("/")
    await expect(page).to_have_title("Overview · Sluicegate")
    await expect(page.get_by_text("Alice Arden")).to_be_visible()
    await expect(page.locator("footer")).to_contain_text("Europe/Berlin")
    await bench.shot(page, "console-overview")


async def narrows_sessions_and_shares_the_search(bench: Bench) -> None:
    """Alice narrows the sessions to Bob's refused calls; somebody else opens the same address and sees the same."""
    page = await bench.alice.goes("/sessions")
    await page.get_by_label("Person", exact=True).fill("bob")
    await page.locator("select[name=verdict]").select_option("deny")
    await page.get_by_role("button", name="Filter").click()
    await expect(page).to_have_url(re.compile(r"principal=bob.*verdict=deny"))
    rows = page.locator("#list tbody tr")
    assert await rows.count() >= 1
    for told in await rows.locator("td").first.all_text_contents():
        assert told.strip() == "bob"
    async with person(bench.browser, bench.stack.console, "bob") as bob:
        await bob.logs_in(page.url.removeprefix(bench.stack.console))
        await expect(bob.page.locator("#list tbody tr")).to_have_count(await rows.count())


async def finds_a_word_in_what_was_said(bench: Bench) -> None:
    """Alice looks for a word in bodies, and gets to the exchange that says it."""
    page = await bench.alice.goes("/sessions")
    await page.keyboard.press("/")
    await page.keyboard.type("CrashLoopBackOff")
    await page.keyboard.press("Enter")
    await expect(page.locator("#list tbody tr").first).to_be_visible()
    await page.locator(".histogram").evaluate("each => each.scrollIntoView()")
    await bench.shot(page, "console-sessions")


async def replays_a_session(bench: Bench) -> None:
    """Alice plays a session, steps through it, and jumps to what was masked."""
    page = await bench.alice.goes("/sessions?redacted=1")
    await page.locator("#list tbody tr a").first.click()
    await expect(page).to_have_title(re.compile("^Replay: "))
    await page.keyboard.press("L")
    await page.keyboard.press("L")
    await page.get_by_role("button", name="Play").click()
    await expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "true")
    await page.locator("[data-play]").click()
    jumps = page.locator("details", has=page.locator("[data-jump=masked]"))
    await jumps.locator("summary").click()
    await jumps.locator("a").first.click()
    await jumps.locator("summary").click()
    await expect(page.locator("a.masked").first).to_be_visible()
    await bench.shot(page, "console-replay")


async def looks_at_exact_bytes(bench: Bench) -> None:
    """Alice opens the exact bytes and headers of a frame; that is on the record with its id."""
    page = await bench.alice.goes("/sessions")
    await page.locator("#list tbody tr a").first.click()
    await page.get_by_role("link", name="exact bytes and headers").first.click()
    await expect(page).to_have_url(re.compile("/frames/"))
    frame = page.url.rpartition("/")[2].partition("?")[0]
    await expect(page.locator("main")).to_contain_text(frame)
    await _comes_to_looked(bench, "frame.bytes", frame)


async def decides_on_a_held_call(bench: Bench) -> None:
    """Bob's agent wants a secret; Alice sees the call come, opens it by the keyboard, approves it with a comment."""
    page = await bench.alice.goes("/approvals")
    async with agent(bench.stack.gateway, "bob") as client:
        asked = {"namespace": "prod-us", "name": "checkout-db"}
        waiting = asyncio.create_task(called(client, "secret_read", **asked))
        row = page.locator("tr.waits", has_text="secret_read").first
        await expect(row).to_be_visible(timeout=NEWS_SECONDS * 1_000)
        await bench.shot(page, "console-approvals")
        await row.get_by_role("link").first.click()
        await expect(page.locator("main")).to_contain_text("checkout-db")
        await bench.shot(page, "console-approval")
        await page.keyboard.press("a")
        await page.keyboard.type("the host only, please")
        await page.get_by_role("button", name="Approve", exact=True).click()
        result = await asyncio.wait_for(waiting, 60)
    assert not result.is_error, text_of(result)
    await expect(page.locator("main")).to_contain_text(re.compile("approved|used"))


async def closes_a_finding(bench: Bench) -> None:
    """An agent reads one secret over and over; Alice sees the finding, takes it up, and closes it with a verdict."""
    async with agent(bench.stack.gateway, "alice") as client:
        for _ in range(18):
            await called(client, "resources_get", kind="Secret", name="checkout-db", namespace="prod-eu")
    page = bench.alice.page
    async with asyncio.timeout(120):
        while True:
            await bench.alice.goes("/findings?state=open")
            if await page.locator("table.inbox tbody tr a").count():
                break
            await asyncio.sleep(1)
    await page.locator("table.inbox tbody tr a").first.click()
    await bench.shot(page, "console-finding")
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("main .badge", has_text="acknowledged").first).to_be_visible()
    await page.locator("input[name=verdict][value=benign]").check()
    await page.get_by_label("Comment").fill("the agent of the demo, asked to do so")
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.locator("main .badge", has_text="closed").first).to_be_visible()


async def compares_two_policies(bench: Bench) -> None:
    """Somebody changes a rule; Alice sees that another version is in force, and what is different in it."""
    policy = bench.stack.policy
    before = await asyncio.to_thread(policy.read_text)
    page = bench.alice.page
    await bench.alice.goes("/policy?connection=demo")
    shown = await page.locator(".facts .badge").first.text_content()
    channel = f"#oncall-{time.time_ns()}"
    changed = re.sub(r"ask who is on call[^\"]*", f"ask who is on call, in {channel}", before)
    await asyncio.to_thread(policy.write_text, changed)
    async with asyncio.timeout(60):
        while (
            await page.locator(".facts .badge").first.text_content() == shown
            or not await page.locator(".diff").count()
        ):
            await asyncio.sleep(0.5)
            await page.reload()
    await expect(page.locator(".diff .added")).to_contain_text(channel)
    await expect(page.locator(".diff .gone")).not_to_contain_text(channel)
    await bench.shot(page, "console-policy")


async def sees_who_looked_at_what(bench: Bench) -> None:
    """Alice, who is an admin, sees what Bob looked at; Bob may not see what others did."""
    async with person(bench.browser, bench.stack.console, "bob") as bob:
        await bob.logs_in("/sessions")
        await bob.page.locator("#list tbody tr a").first.click()
        session = bob.page.url.rpartition("/")[2].partition("#")[0]
        answer = await bob.page.goto(bench.stack.console + "/looked")
        assert answer is not None
        assert answer.status == 403
        await expect(bob.page.locator("h1")).to_have_text("Your role does not allow this")
    await _comes_to_looked(bench, "session.view", session, "bob")
    await bench.shot(bench.alice.page, "console-looked")


async def takes_a_report_home(bench: Bench) -> None:
    """Alice downloads a session as a PDF report, HAR and JSON lines: all of it, readable, and on the record."""
    page = await bench.alice.goes("/sessions?verdict=deny")
    await page.locator("#list tbody tr a").first.click()
    session = page.url.rpartition("/")[2].partition("#")[0].partition("?")[0]
    report = texts(await _downloaded(page, "PDF report"))
    assert "Session report" in report
    assert f"/sessions/{session}" in report
    assert "deny" in report
    har = json.loads(await _downloaded(page, "HAR"))
    assert har["log"]["entries"], "an export of nothing"
    lines = (await _downloaded(page, "JSON lines")).splitlines()
    assert len(lines) >= len(har["log"]["entries"])
    assert all(isinstance(json.loads(line), dict) for line in lines)
    for action in ("export.pdf", "export.har"):
        await _comes_to_looked(bench, action, session)


async def _downloaded(page: Page, name: str) -> bytes:
    """What the link of this name gives."""
    async with page.expect_download() as begun:
        await page.get_by_role("link", name=name, exact=True).click()
    path = await (await begun.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)


async def _comes_to_looked(bench: Bench, action: str, target: str, actor: str = "alice") -> None:
    """The trail says who looked; the store has it after a moment."""
    page = bench.alice.page
    async with asyncio.timeout(NEWS_SECONDS):
        while True:
            await bench.alice.goes(f"/looked?actor={actor}&action={action}&target={target}")
            if await page.locator("tbody tr").count():
                return
            await asyncio.sleep(0.5)


TASKS: tuple[Task, ...] = (
    logs_in_and_sees_how_things_are,
    narrows_sessions_and_shares_the_search,
    finds_a_word_in_what_was_said,
    replays_a_session,
    looks_at_exact_bytes,
    decides_on_a_held_call,
    closes_a_finding,
    compares_two_policies,
    sees_who_looked_at_what,
    takes_a_report_home,
)
