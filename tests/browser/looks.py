"""Every page as people may have it: light and dark, at a desk and on a phone, by the keyboard; axe finds nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import Scheme, overflows, person, violations

PAGES = (
    *("/login", "/overview", "/sessions", "/sessions?text=nothing-says-this", "/approvals", "/findings"),
    *(
        "/findings/rules",
        "/findings/silences",
        "/approvals/delegations",
        "/connections",
        "/policy",
        "/health",
    ),
    *("/policy?connection=demo", "/looked", "/nowhere"),
)
TO_FOLLOW = (
    ("/sessions", r"^/sessions/[0-9a-f-]{36}$"),
    ("/approvals", r"^/approvals/[0-9a-f-]{36}$"),
    ("/findings", r"^/findings/[0-9a-f-]{36}$"),
)
IN_A_SESSION = (
    r"^/sessions/[^/]+/exchanges/[^/]+$",
    r"^/sessions/[^/]+/exchanges/[^/]+/tree$",
    r"^/frames/[^/]+$",
)
LOOKS: tuple[tuple[Scheme, bool], ...] = (("light", False), ("dark", False), ("light", True), ("dark", True))


async def every_page(page: Page, console: str) -> list[str]:
    """The fixed ones, and one of each kind that has an id."""
    found = list(PAGES)
    for start, pattern in TO_FOLLOW:
        await page.goto(console + start)
        found += await _link(page, pattern)
    session = next((path for path in found if re.match(TO_FOLLOW[0][1], path)), "")
    await page.goto(console + session)
    for pattern in IN_A_SESSION:
        found += await _link(page, pattern)
    return found


async def what_axe_says(
    browser: Browser, console: str, paths: list[str], axe: str, state: Any
) -> AsyncIterator[str]:
    """Yields what is wrong, a line each: axe's violations, pages wider than a phone, complaints of the browser."""
    for scheme, phone in LOOKS:
        async with person(browser, console, "alice", scheme=scheme, phone=phone, state=state) as somebody:
            for path in paths:
                where = f"{path} ({scheme}, {'phone' if phone else 'desk'})"
                somebody.complaints.clear()
                await somebody.goes(path)
                if await overflows(somebody.page):
                    yield f"{where}: one has to scroll sideways"
                for violation in await violations(somebody.page, axe):
                    yield f"{where}: {violation}"
                for complaint in somebody.complaints:
                    if "status of 404" not in complaint or path != "/nowhere":
                        yield f"{where}: the browser complains: {complaint}"


async def by_the_keyboard(browser: Browser, console: str, state: Any) -> None:
    """From the overview to a session, back, to the help sheet and out of it, without a mouse."""
    async with person(browser, console, "alice", state=state) as somebody:
        page = await somebody.goes("/overview")
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus")).to_have_text("Skip to the content")
        await page.keyboard.press("Enter")
        await page.keyboard.press("g")
        await page.keyboard.press("s")
        await page.wait_for_url("**/sessions")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}"))
        await page.keyboard.press("?")
        sheet = page.get_by_role("dialog", name="Keyboard")
        await expect(sheet).to_be_visible()
        await expect(sheet).to_contain_text("Sessions")
        await page.keyboard.press("Escape")
        await expect(sheet).to_have_count(0)
        await page.keyboard.press("g")
        await page.keyboard.press("a")
        await page.wait_for_url("**/approvals")


async def times_are_of_the_viewers_zone(browser: Browser, console: str, state: Any) -> None:
    """A time says UTC to machines and the viewer's zone to the viewer."""
    async with person(browser, console, "alice", state=state) as somebody:
        page = await somebody.goes("/sessions")
        time = page.locator("#list tbody time").first
        utc = await time.get_attribute("datetime") or ""
        assert utc.endswith("Z"), utc
        hours = (int(utc[11:13]) + 1) % 24, (int(utc[11:13]) + 2) % 24
        shown = await time.text_content() or ""
        assert any(f"{hour:02d}:{utc[14:16]}" in shown for hour in hours), (utc, shown)


async def works_without_scripts(browser: Browser, console: str, state: Any) -> None:
    """Pages are read and forms are sent where the browser runs no script."""
    context = await browser.new_context(java_script_enabled=False, storage_state=state)
    try:
        page = await context.new_page()
        await page.goto(console + "/sessions?verdict=deny")
        await page.locator("#list tbody tr a").first.click()
        assert "/sessions/" in page.url
        assert await page.locator("main h1").text_content()
        assert "UTC" in (await page.locator("main time").first.text_content() or "")
    finally:
        await context.close()


async def _link(page: Page, pattern: str) -> list[str]:
    links = await page.eval_on_selector_all("a[href]", "all => all.map(each => each.getAttribute('href'))")
    return [link for link in links if re.match(pattern, link)][:1]
