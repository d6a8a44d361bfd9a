"""The console as a process: probes, the user at the terminal, a stop that leaves nobody hanging; who is blocked."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import aiohttp
import pytest

from console.app import Console
from console.metrics import ConsoleMetrics
from console.settings import ConsoleSettings
from console.terminal import terminal_person
from gateway.edge.announce import Announcer, stamp
from gateway.settings import IdentitySettings
from schemas.control import principal_blocked, token_revoked
from tests.console.calling import served
from tests.console.conftest import KEYS, Floor, comes_to
from tests.processors.approvals.making import DIGEST
from tests.processors.fleet import Fleet
from tests.processors.trail import until

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


@pytest.fixture
async def process(settled: Floor, tmp_path: Path) -> AsyncIterator[tuple[str, str, Fleet]]:
    """Its URL, the token of its terminal, and what runs it."""

    def arguments(home: Path) -> list[str]:
        return ["tests.console.serving", settled.broker, str(home)]

    with Fleet(tmp_path, arguments, 1, Random(1)) as consoles:
        consoles.add()
        (home,) = consoles.homes()

        async def up() -> bool:
            return (home / "port").exists()

        await until(up, 60)
        assert stat.S_IMODE((home / "token").stat().st_mode) == 0o600
        url = f"http://127.0.0.1:{(home / 'port').read_text().strip()}"
        yield url, (home / "token").read_text(), consoles


async def status(http: aiohttp.ClientSession, url: str, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.get(url, headers=headers) as response:
        return response.status


async def test_a_console_serves_the_user_at_its_terminal_until_it_is_asked_to_stop(
    settled: Floor, process: tuple[str, str, Fleet]
) -> None:
    url, token, consoles = process
    async with aiohttp.ClientSession() as http:

        async def ready() -> bool:
            return await status(http, url + "/readyz") == 200

        await until(ready, 60)
        assert [await status(http, url + path) for path in ("/healthz", "/metrics")] == [200, 200]
        assert [await status(http, url + "/api/me", each) for each in ("", "wrong", token)] == [401, 401, 200]
        me = terminal_person()
        own = await settled.ask(principal_issuer="", principal_subject=me.subject, quorum=_of(me.name))
        others = await settled.ask(quorum=_of(me.name))
        headers = {"Authorization": f"Bearer {token}"}

        async def pending() -> bool:
            states = []
            for each in (own, others):
                async with http.get(f"{url}/api/approvals/{each}", headers=headers) as response:
                    states.append((await response.json()).get("state"))
            return states == ["pending", "pending"]

        await until(pending, 60)
        answers = []
        for each in (own, others):
            body = {"verb": "approve", "digest": DIGEST}
            place = f"{url}/api/approvals/{each}/decision"
            async with http.post(place, json=body, headers=headers) as response:
                answers.append((response.status, (await response.json()).get("detail", "")))
        assert answers == [(409, "nobody decides what they asked for themselves"), (200, "")]
        async with http.get(url + "/api/approvals/events", headers=headers) as feed:
            await feed.content.readline()
            consoles.stop()
            await asyncio.wait_for(feed.read(), 20)

        async def ended() -> bool:
            return consoles.ending() == 0

        await until(ended, 30)
        assert consoles.done["ended 0"] == 1


def _of(name: str) -> list[dict[str, object]]:
    return [{"reviewers": [name], "people": 1}]


async def test_who_is_blocked_or_has_a_revoked_token_decides_nothing(settled: Floor) -> None:
    async with served(settled) as api:
        approval = await settled.ask(principal_issuer=api.issuer, principal_aliases=[])
        await comes_to(api.console.desk, approval, "pending")
        token, other = api.token("mallory", jti="stolen"), api.token("eve")
        announcer = Announcer(settled.kafka)
        announcer.start()
        try:
            revoked = token_revoked(stamp(), "stolen", by="cli:me", reason="lost")
            blocked = principal_blocked(stamp(), api.issuer, "eve", by="cli:me", reason="laptop stolen")
            for record in (revoked, blocked):
                assert await announcer.control(record["target"], record)

            async def barred() -> bool:
                return [(await api.ask("GET", "/api/me", each)).status for each in (token, other)] == [
                    403,
                    403,
                ]

            await until(barred, 30)
            refused = await api.ask("POST", f"/api/approvals/{approval}/decision", other, {"verb": "deny"})
            assert (refused.status, refused.content["detail"]) == (403, "laptop stolen")
        finally:
            await announcer.stop()
        assert (await api.ask("GET", "/api/me", api.token("ann"))).status == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host": "0.0.0.0"}, "for loopback only"),
        ({}, "a token that only this user can read"),
        ({"identity": IdentitySettings("oidc")}, "needs a public_url"),
    ],
)
async def test_settings_that_would_let_in_anybody_are_refused(
    floor: Floor, change: dict[str, object], said: str
) -> None:
    settings = replace(ConsoleSettings(KEYS), **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=said):
        Console(settings, floor.kafka)


def test_the_reference_names_every_metric_of_a_console_and_no_other() -> None:
    metrics = ConsoleMetrics()
    metrics.approvals(lambda: 0.0, lambda: 0.0)
    section = REFERENCE.read_text("utf-8").partition("\n## Console\n")[2].partition("\n## ")[0]
    known = {
        family.name + ("_total" if family.type == "counter" else "") for family in metrics.registry.collect()
    }
    assert set(re.findall(r"^\| `(sluicegate_\w+)` \|", section, re.MULTILINE)) == known
