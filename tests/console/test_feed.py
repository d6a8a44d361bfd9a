"""The feed of changes over HTTP: who may see what, from where it goes on, when it ends, how many there are."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from console.settings import ApiLimits
from tests.console.calling import Api, served
from tests.console.conftest import Floor, comes_to


class Reader:
    """One open feed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def position(self) -> str:
        """The next one that is told."""
        while not (line := await self._line()).startswith("id: "):
            continue
        return line[4:]

    async def event(self) -> dict[str, Any]:
        """The next approval that is told; heartbeats and positions are passed over."""
        while True:
            line = await self._line()
            if line.startswith("data: "):
                found: dict[str, Any] = json.loads(line[6:])
                return found

    async def _line(self) -> str:
        line = await asyncio.wait_for(self.response.content.readline(), 30)
        assert line, "the feed has ended"
        return line.decode().rstrip("\n")

    async def end(self) -> None:
        """Reads on until the console ends it."""
        await asyncio.wait_for(self.response.read(), 30)


@asynccontextmanager
async def following(api: Api, token: str, **headers: str) -> AsyncIterator[Reader]:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    named["Authorization"] = f"Bearer {token}"
    async with api.http.get(api.url + "/api/approvals/events", headers=named) as response:
        assert response.status == 200, await response.text()
        yield Reader(response)


async def ask(floor: Floor, api: Api, **over: Any) -> str:
    return await floor.ask(principal_issuer=api.issuer, principal_aliases=[], **over)


async def test_changes_come_as_they_happen_to_those_who_may_see_them(settled: Floor) -> None:
    async with served(settled) as api, following(api, api.token("ann")) as ann:
        hidden = await ask(settled, api, quorum=[{"reviewers": ["others"], "people": 1}])
        approval = await ask(settled, api)
        seen = [await ann.event()]
        while seen[-1]["state"] != "pending":
            seen.append(await ann.event())
        await api.console.desk.decide(approval, "deny", _person(api, "eve"), "no")
        while seen[-1]["state"] != "denied":
            seen.append(await ann.event())
        assert {row["id"] for row in seen} == {approval}
        assert hidden not in json.dumps(seen)
        schema = {"$ref": "#/components/schemas/ApprovalSummary"}
        for row in seen:
            api.validator(schema).validate(row)


async def test_who_comes_back_misses_nothing_even_at_another_console(settled: Floor) -> None:
    async with served(settled) as api:
        token = api.token("ann")
        async with following(api, token) as first:
            one = await ask(settled, api)
            while (await first.event())["state"] != "pending":
                continue
            last_id = await first.position()
        two = await ask(settled, api)
        await comes_to(api.console.desk, two, "pending")
        async with following(api, token, Last_Event_ID=last_id) as again:
            told = await again.event()
        assert told["id"] == two
        assert one != two
        refused = await api.ask("GET", "/api/approvals/events", token, Last_Event_ID="yesterday")
        assert refused.status == 400
    async with (
        served(settled) as other,
        following(other, other.token("ann"), Last_Event_ID=last_id) as elsewhere,
    ):
        assert (await elsewhere.event())["id"] == two


async def test_a_feed_ends_with_its_token_and_with_the_console(settled: Floor) -> None:
    async with served(settled, heartbeat()) as api:
        async with following(api, api.token("ann", exp=int(time.time()) - 24)) as short:  # 30 s are let pass
            await short.end()
        reader: Reader
        async with following(api, api.token("ann")) as reader:
            api.console.desk.close_feeds()
            await reader.end()


async def test_feeds_and_requests_are_bounded(settled: Floor) -> None:
    limits = ApiLimits(feeds_by_person_max=1, requests_burst=6, requests_per_second=0.1)
    async with served(settled, limits) as api:
        token = api.token("ann")
        async with following(api, token) as one:
            await asyncio.wait_for(one.response.content.readline(), 30)
            second = await api.ask("GET", "/api/approvals/events", token)
            assert (second.status, second.content["type"]) == (429, "urn:sluicegate:problem:too_many_feeds")
        statuses = [(await api.ask("GET", "/api/me", token)).status for _ in range(6)]
        assert statuses[0] == 200
        assert statuses[-1] == 429
        assert (await api.ask("GET", "/api/me", api.token("eve"))).status == 200
        strangers = [(await api.ask("GET", "/api/me")).status for _ in range(8)]
        assert (strangers[0], strangers[-1]) == (401, 429)


def heartbeat() -> ApiLimits:
    return ApiLimits(heartbeat_seconds=0.2)


def _person(api: Api, name: str) -> Any:
    from console.directory import Person  # noqa: PLC0415

    return Person(api.issuer, name, ("owners",))


@pytest.mark.parametrize("sent", ["r1s", "r1.s2", "rs", "r1s2 ", "r-1s2"])
async def test_what_is_no_position_is_refused(sent: str) -> None:
    from console.feed import positions_of  # noqa: PLC0415

    assert positions_of(sent) is None
