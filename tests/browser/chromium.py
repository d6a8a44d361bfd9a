"""Chromium, driven by Playwright: people with browsers, pages held against axe, pictures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

EXECUTABLE = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PICTURE_BYTES_MAX = 300 * 1024
Scheme = Literal["light", "dark"]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a screen."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Person:
    """Somebody at a browser of their own. What the page's scripts or its policy complain of is kept."""

    name: str
    console: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    async def goes(self, path: str) -> Page:
        """To a page of the console."""
        await self.page.goto(self.console + path)
        return self.page

    async def logs_in(self, path: str = "/") -> Page:
        """At the demo's provider, by the button with the person's name."""
        await self.goes(path)
        if await self.page.get_by_role("link", name="Continue with").count():
            await self.page.get_by_role("link", name="Continue with").click()
        await self.page.get_by_role("button", name=self.name).click()
        await self.page.wait_for_url(f"{self.console}/**")
        return self.page


@asynccontextmanager
async def person(
    browser: Browser,
    console: str,
    name: str,
    *,
    phone: bool = False,
    scheme: Scheme = "light",
    state: Any = None,
) -> AsyncIterator[Person]:
    """Somebody with a fresh browser, or one with the cookies of `state`."""
    context = await browser.new_context(
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
        color_scheme=scheme,
        timezone_id="Europe/Berlin",
        locale="en-GB",
        has_touch=phone,
        storage_state=state,
        accept_downloads=True,
        bypass_csp=False,
    )
    context.set_default_timeout(20_000)
    page = await context.new_page()
    found = Person(name, console, context, page)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    try:
        yield found
    finally:
        await context.close()


async def violations(page: Page, axe: str) -> list[str]:
    """What axe finds wrong with the page as it stands, each with where. The script comes past the page's policy by
    the debugger, as extensions do, so the page is looked at as people get it."""
    await page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = await page.evaluate(f"axe.run(document, {json.dumps(options)})")
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {node['target']} {node['html'][:160]}"
        for each in found["violations"]
        for node in each["nodes"][:5]
    ]


async def overflows(page: Page) -> bool:
    """Whether the page is wider than the screen, so that one has to scroll sideways to read it."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


async def picture(page: Page, path: Path) -> None:
    """A screenshot, small enough for the README."""
    content = await page.screenshot(animations="disabled", caret="hide")
    await asyncio.to_thread(path.write_bytes, content)
    size = len(content)
    assert size <= PICTURE_BYTES_MAX, f"{path.name} has {size} bytes"
