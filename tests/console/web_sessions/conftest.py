"""A console with pages before a real store, sessions recorded to order, and people of some teams logged in to it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from console.web.settings import RoleGroups, Team
from sinks.readers import FrameFilter
from tests.console.web.browsing import Browser, Page
from tests.console.web.serving import served_web, web_settings
from tests.console.web_inbox.conftest import Desk, Stored, stored
from tests.console.web_inbox.storing import store_settings
from tests.processors.trail import fill, until
from tests.sinks.records import Trail

__all__ = ["stored"]

ROLES = RoleGroups(viewer=("viewers", "owners"), auditor=("auditors",))
TEAMS = (Team("ours", ("viewers",), ("prod", "demo")), Team("theirs", ("others",), ("secret",)))


@dataclass
class Told:
    """A session that the store has."""

    id: str
    exchanges: list[str]
    trail: Trail


@dataclass
class Pages:
    """The console over a store, with what tests record in it."""

    desk: Desk

    def ann(self) -> Browser:
        """Sees the connections of her team alone."""
        return self.desk.as_("ann", "viewers")

    def auditor(self) -> Browser:
        """Sees everything."""
        return self.desk.as_("olga", "auditors")

    async def acts(self, target: str) -> list[dict[str, Any]]:
        """What is on the record of a target."""
        return await self.desk.floor.acts(target)

    async def frames(self, exchange: str) -> list[str]:
        """The ids of the frames of an exchange."""
        return [row["frame_id"] for row in await self.desk.reader.frames(FrameFilter(exchange=exchange), 100)]

    async def told(self, make: Any, **shared: Any) -> Told:
        """`make(frame)` records the frames of one session, which the store then has."""
        session = str(uuid4())
        trail = Trail(lane=f"gw/{uuid4()}/0/0", started_us=time.time_ns() // 1_000 - 60_000_000)
        exchanges: list[str] = []

        def frame(body: bytes = b"", **fields: Any) -> str:
            exchange = fields.pop("exchange_id", "") or str(uuid4())
            if exchange not in exchanges:
                exchanges.append(exchange)
            trail.frame(body, **{"session_id": session, **shared, **fields, "exchange_id": exchange})
            return exchange

        make(frame)
        rows = [(0, session.encode(), value) for value in trail.values]
        await fill(self.desk.floor.broker, "audit", rows)

        async def there() -> bool:
            frames = await self.desk.reader.frames(FrameFilter(session=session), len(rows) + 1)
            found = await self.desk.reader.session(session)
            return len(frames) == len(rows) and found is not None and found["frames"] == len(rows)

        await until(there, 60)
        return Told(session, exchanges, trail)


def call(frame: Any, asked: bytes, answered: bytes, **fields: Any) -> str:
    """A call and its answer."""
    answer = {
        "direction": "response",
        "jsonrpc_type": "response",
        "http_status": 200,
        "outcome": "completed",
        "elapsed_us": 12_500,
    }
    exchange: str = frame(asked, **fields)
    frame(answered, **{**fields, **answer, "exchange_id": exchange, **fields.get("answer", {})})
    return exchange


def assert_inert(page: Page) -> None:
    """Nothing that was recorded acts: no tag of it, no control or bidi character, no script or style in the page."""
    _Inert().feed(page.text)
    for sign in (*map(chr, range(32)), *"\x7f\x9b\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200b\ufeff"):
        assert sign in "\n\t" or sign not in page.text, hex(ord(sign))


class _Inert(HTMLParser):
    """Fails at whatever in a page could act and is none of ours."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        assert not [name for name in said if name.startswith("on") or name == "style"], (tag, said)
        if tag in ("script", "img", "link"):
            assert (said.get("src") or said.get("href", "")).startswith("/static/"), said
        if tag in ("a", "form"):
            assert (said.get("href") or said.get("action", "/")).startswith(("/", "#", "?")), said
        assert tag not in ("iframe", "object", "embed", "base", "style", "video", "audio"), tag

    def handle_data(self, data: str) -> None:
        assert self.cdata_elem is None or not data.strip(), data


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages(stored: Stored, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pages]:
    """A console over the store, the same for all tests of a module."""
    home = tmp_path_factory.mktemp("console")
    web = web_settings(home, store=store_settings(stored.home, stored.port), roles=ROLES, teams=TEAMS)
    async with served_web(stored.floor, home, web=web) as served:
        yield Pages(Desk(served, stored.floor))
