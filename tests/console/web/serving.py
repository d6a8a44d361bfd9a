"""A console with pages on a free port, its people, and browsers before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from console.app import Console
from console.settings import ConsoleSettings, DeskLimits
from console.web.settings import ConnectionShown, WebSettings
from gateway.settings import IdentitySettings
from sinks.clickhouse import ClickHouseAddress
from sinks.settings import SinkSettings
from sluicegate.embedded.ports import free_port
from tests.console.calling import listening
from tests.console.conftest import KEYS, PEOPLE, Floor
from tests.console.web.browsing import Browser, Page

TOKEN = "the-token-of-this-terminal"
CONNECTIONS = (
    ConnectionShown("tickets", "mcp", "https://tickets.example.com/mcp", "ann", (("tier", "1"),)),
    ConnectionShown("shop", "http", "https://shop.example.com"),
)


@dataclass
class Served:
    """A console and where it is."""

    url: str
    http: aiohttp.ClientSession
    console: Console

    def browser(self) -> Browser:
        """A new one, logged in nowhere."""
        return Browser(self.http, self.url)

    async def at_terminal(self) -> Browser:
        """That of the terminal's user, logged in."""
        browser = self.browser()
        page = await browser.post("/login", {"token": TOKEN, "next": "/me"})
        assert page.status == 204, page.text
        return browser


def web_settings(home: Path, **changes: Any) -> WebSettings:
    """Pages over a store that is nowhere, unless told otherwise."""
    store = SinkSettings(ClickHouseAddress("embedded", home), home, port=9)
    return WebSettings(**{"store": store, "connections": CONNECTIONS, **changes})


def console_settings(web: WebSettings, **changes: Any) -> ConsoleSettings:
    """At a terminal."""
    return replace(
        ConsoleSettings(KEYS, port=0, people=PEOPLE, desk=DeskLimits(answer_seconds=60.0), web=web), **changes
    )


@asynccontextmanager
async def served_web(
    floor: Floor, home: Path, identity: IdentitySettings | None = None, web: WebSettings | None = None
) -> AsyncIterator[Served]:
    """A console that is ready, until the block ends; at a terminal where no `identity` is given."""
    settings = console_settings(web or web_settings(home))
    if identity is not None:
        settings = replace(
            settings,
            identity=identity,
            auditor_groups=("auditors",),
            port=urlsplit(identity.public_url).port or 0,
        )
    console = Console(settings, floor.kafka, token="" if identity else TOKEN)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        listening(console, settings.port) as url,
    ):
        yield Served(url, http, console)


def free_url() -> str:
    """An address on loopback to listen on later."""
    return f"http://127.0.0.1:{free_port()}"


async def acts_of(floor: Floor, target: str, action: str) -> list[dict[str, Any]]:
    """Acts on the record of a target."""
    return [act for act in await floor.acts(target) if act["action"] == action]


def assert_page(page: Page, status: int, title: str) -> None:
    """A page of ours, with what keeps it inert."""
    assert (page.status, page.title) == (status, f"{title} · Sluicegate"), page.text
    assert page.header("Content-Security-Policy").startswith("default-src 'none'; script-src 'self';")
    assert page.header("Content-Type") == "text/html; charset=utf-8"


async def csrf_of(browser: Browser) -> str:
    """The token of the viewer's session, as the pages have it."""
    return (await browser.get("/nowhere-at-all")).form("/logout").fields["csrf"]
