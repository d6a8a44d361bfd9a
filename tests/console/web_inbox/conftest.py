"""A console with pages before a real processor and a real store, and people of some roles logged in to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from console.api.callers import Caller
from console.directory import Person
from console.web.settings import RoleGroups
from schemas.findings import FindingRecord, finding_record, finding_value
from sinks.readers import Reader
from sluicegate.embedded.ports import free_port
from tests.console.conftest import Floor, comes_to
from tests.console.web.browsing import Browser
from tests.console.web.serving import Served, served_web, web_settings
from tests.console.web_inbox.storing import store_settings
from tests.processors.approvals.making import ISSUER
from tests.processors.trail import fill, until

ROOT = Path(__file__).parents[3]
READY_SECONDS = 110.0
ROLES = RoleGroups(
    viewer=("viewers", "owners"), approver=("owners", "others"), auditor=("auditors",), admin=("admins",)
)


@dataclass(frozen=True)
class Stored:
    """A store process at work, and its broker."""

    home: Path
    port: int
    floor: Floor


@pytest.fixture(scope="package")
def stored(floor: Floor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """One store for all tests of the pages here: use ids, rules and connections of your own."""
    home = tmp_path_factory.mktemp("pages-store")
    port = free_port()
    arguments = [floor.broker, str(home), str(port)]
    with (home / "store.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.console.web_inbox.storing", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        asyncio.run(_ready(process, f"http://127.0.0.1:{port}/readyz", home / "store.log"))
        yield Stored(home, port, floor)
    finally:
        process.terminate()
        process.wait(60)


async def _ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(READY_SECONDS):
        while True:
            assert process.poll() is None, f"the store has stopped: see {log}"
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


@dataclass
class Desk:
    """The console, and who sits before it."""

    served: Served
    floor: Floor

    @property
    def reader(self) -> Reader:
        """As the pages read the trail."""
        web = self.served.console.web
        assert web is not None
        return web.site.reader

    def as_(self, name: str, *groups: str) -> Browser:
        """The browser of somebody of these groups, logged in."""
        web = self.served.console.web
        assert web is not None
        person = Person(ISSUER, name, groups)
        caller = Caller(person, person)
        token = web.site.logins.begin(caller, name)
        browser = self.served.browser()
        host = self.served.url.removeprefix("http://")
        browser.cookies[host] = {web.site.cookies.session: token}
        return browser

    async def asked(self, **over: Any) -> str:
        """Bob asks, and the console knows that it is pending; its id."""
        approval = await self.floor.ask(**{"principal_aliases": [], **over})
        await comes_to(self.served.console.desk, approval, "pending")
        return approval

    async def raised(self, rule: str, **over: Any) -> FindingRecord:
        """A finding of that rule, which the store has; about ann on prod unless told otherwise."""
        facts = {"principal_subject": "ann", "principal_issuer": ISSUER, "connection": "prod"}
        attributes = {**facts, **over.pop("attributes", {})}
        title, evidence = over.pop("title", "too many secrets"), over.pop("evidence", ["f1"])
        record = finding_record(
            rule,
            "high",
            title,
            evidence,
            raised_at=time.time_ns() // 1_000,
            name=str(uuid4()),
            attributes=attributes,
            **over,
        )
        await fill(self.floor.broker, "findings", [(0, rule.encode(), finding_value(record))])

        async def there() -> bool:
            return await self.reader.finding(record["finding_id"]) is not None

        await until(there, 60)
        return record


@pytest.fixture
async def desk(stored: Stored, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """A console over the store; `@pytest.mark.parametrize("desk", [{...}], indirect=True)` changes its pages."""
    changes: dict[str, Any] = {"roles": ROLES, **getattr(request, "param", {})}
    web = web_settings(tmp_path, store=store_settings(stored.home, stored.port), **changes)
    async with served_web(stored.floor, tmp_path, web=web) as served:
        yield Desk(served, stored.floor)
