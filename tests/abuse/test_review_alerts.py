"""Who shows what is another's raises findings, but cannot drown people, or the gateway, in them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.edge.perform import ALERTS
from schemas.kafka import KafkaAddress
from tests.abuse.identified import bearer, identified
from tests.abuse.raw import connected
from tests.abuse.test_review_endings import CALL, frames_by, request
from tests.gateway.conftest import Upstream, demo

SESSIONS = 40


async def test_abuse_59_a_flood_of_foreign_sessions_is_on_the_trail_and_raises_a_few_findings(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream
) -> None:
    raised: list[str] = []
    async with identified(kafka, tmp_path, demo(upstream)) as gate:
        announcer = gate.gateway.announcer
        real = announcer.finding

        async def finding(record: object) -> bool:
            raised.append(str(record))
            return await real(record)  # type: ignore[arg-type]

        announcer.finding = finding  # type: ignore[method-assign,assignment]
        token = bearer("flooding-flo")
        async with connected(gate) as client:
            for number in range(SESSIONS):
                named = b"Mcp-Session-Id: guess-%d" % number
                await client.send(request(token, b"Content-Type: application/json", named, body=CALL))
                answer = await client.answer()
                assert (answer.status, answer.reason_code) == (404, "session_not_yours")
        async with asyncio.timeout(30):
            while len(raised) < ALERTS.burst:
                await asyncio.sleep(0.01)
    frames = await frames_by(kafka, "flooding-flo")
    assert [frame["reason_code"] for frame in frames] == ["session_not_yours"] * SESSIONS
    assert len(raised) == ALERTS.burst
    assert upstream.requests == 0
