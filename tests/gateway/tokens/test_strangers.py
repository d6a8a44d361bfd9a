"""A flood of refusals is bounded on the trail, and counted there."""

from __future__ import annotations

import asyncio
import json

from gateway.edge.tokens.strangers import BURST, Strangers
from tests.gateway.tokens.conftest import Desk
from tests.support.topics import acts


def test_refusals_beyond_the_rate_are_counted_and_told_once() -> None:
    now = 0.0
    strangers = Strangers(per_second=2, burst=3, clock=lambda: now)
    assert [strangers.has_room() for _ in range(5)] == [True, True, True, False, False]
    now = 0.5
    assert strangers.has_room()
    assert strangers.take_untold() == 2
    assert strangers.take_untold() == 0
    now = 1_000.0
    assert [strangers.has_room() for _ in range(4)] == [True, True, True, False]


async def test_a_flood_of_strangers_does_not_fill_the_trail_nor_shut_others_out(desk: Desk) -> None:
    async def refused() -> list[dict[str, object]]:
        return await acts(desk.kafka.bootstrap, lambda record: record["action"] == "token.refuse")

    def counted(records: list[dict[str, object]]) -> int:
        return sum(json.loads(str(r["detail"])).get("refused_without_record", 0) for r in records)

    before, sent = len(await refused()), BURST + 150
    for _ in range(sent):
        assert (await desk.ask("no.token.atall")).status_code == 400
    assert (await desk.ask()).status_code == 200
    told = (await refused())[before:]
    async with asyncio.timeout(60):
        while len(told) + counted(told) != sent:  # the next that has a record tells of those that had none
            assert (await desk.ask("no.token.atall")).status_code == 400
            sent += 1
            told = (await refused())[before:]
    assert counted(told)
    assert len(told) < BURST + 120
