"""However an exchange ends, its place in the quotas is free again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import Quota, Timeouts
from schemas.kafka import KafkaAddress
from tests.abuse.identified import bearer, identified
from tests.abuse.raw import Socket, connected
from tests.abuse.test_review_endings import CALL, Tell, block, request, tell
from tests.gateway.conftest import Served, Upstream, demo

__all__ = ["tell"]

POLICY = """
default: allow
rules:
  - name: no-deny
    when: tool.name == 'deny'
    deny: no
"""
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
CONCURRENT = 2
Odd = Callable[["Crowd", Socket], Awaitable[None]]


class Crowd:
    """A gateway with few places, its upstream, and one caller."""

    def __init__(self, gate: Served, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate, self.upstream, self.monkeypatch = gate, upstream, monkeypatch
        self.token = bearer("alice")

    async def asked(self) -> None:
        """Upstream has got the request."""
        await asyncio.wait_for(self.upstream.asked.wait(), 10)

    def break_law(self, name: str) -> None:
        """The gateway itself fails there, until the end of this one ending."""

        def fails(*_: Any) -> Any:
            raise RuntimeError("a fault of our own")

        self.monkeypatch.setattr(self.gate.gateway._routes["demo"].terms.law, name, fails)


async def gone_in_body(crowd: Crowd, client: Socket) -> None:
    await client.send(request(crowd.token, body=CALL[:10], length=len(CALL)))


async def gone_before_answer(crowd: Crowd, client: Socket) -> None:
    crowd.upstream.may_answer.clear()
    await client.send(request(crowd.token))
    await crowd.asked()


async def gone_in_stream(crowd: Crowd, client: Socket) -> None:
    crowd.upstream.answer = STREAM + b"data: {}\n\n"
    await client.send(request(crowd.token))
    await client.reader.readuntil(b"data: {}\n\n")


async def upstream_breaks_off(crowd: Crowd, client: Socket) -> None:
    crowd.upstream.answer = JSON[:-1]
    await client.send(request(crowd.token))
    await crowd.asked()
    assert crowd.upstream.writer is not None
    crowd.upstream.writer.close()
    assert (await client.answer()).status == 502


async def upstream_talks_nonsense(crowd: Crowd, client: Socket) -> None:
    crowd.upstream.answer = b"nonsense\r\n\r\n"
    await client.send(request(crowd.token))
    assert (await client.answer()).status == 502


async def upstream_is_too_slow(crowd: Crowd, client: Socket) -> None:
    crowd.upstream.may_answer.clear()
    await client.send(request(crowd.token))
    assert (await client.answer()).status == 504


async def refused_by_form(crowd: Crowd, client: Socket) -> None:
    await client.send(request(crowd.token, body=b'{"id":1,"id":2}'))
    assert (await client.answer()).status == 400


async def refused_by_size(crowd: Crowd, client: Socket) -> None:
    await client.send(request(crowd.token, body=b"", length=2**40))
    assert (await client.answer()).status == 413


async def refused_by_policy(crowd: Crowd, client: Socket) -> None:
    await client.send(request(crowd.token, body=CALL.replace(b'"t"', b'"deny"')))
    assert (await client.answer()).status == 200


async def fault_before(crowd: Crowd, client: Socket) -> None:
    crowd.break_law("judge")
    await client.send(request(crowd.token))
    assert (await client.answer()).status == 500


async def fault_after(crowd: Crowd, client: Socket) -> None:
    crowd.break_law("passage")
    await client.send(request(crowd.token))
    assert (await client.answer()).status == 500


ENDINGS = [
    gone_in_body,
    gone_before_answer,
    gone_in_stream,
    upstream_breaks_off,
    upstream_talks_nonsense,
    upstream_is_too_slow,
    refused_by_form,
    refused_by_size,
    refused_by_policy,
    fault_before,
    fault_after,
]


@asynccontextmanager
async def crowded(
    kafka: KafkaAddress, folder: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Crowd]:
    policy = folder / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    narrow = replace(
        demo(upstream),
        quota=Quota(concurrent=CONCURRENT, total_concurrent=CONCURRENT),
        timeouts=Timeouts(response_seconds=0.5),
        policy_file=policy,
    )
    async with identified(kafka, folder, narrow) as gate:
        yield Crowd(gate, upstream, monkeypatch)


async def all_places_are_free(crowd: Crowd) -> None:
    """As many as there may be are served at once, and one more is not."""
    crowd.upstream.answer = JSON
    crowd.upstream.may_answer.set()
    async with asyncio.timeout(30):
        while crowd.gate.gateway.endpoint._running:
            await asyncio.sleep(0.01)
    crowd.upstream.may_answer.clear()
    before = crowd.upstream.requests
    async with connected(crowd.gate) as one, connected(crowd.gate) as two, connected(crowd.gate) as three:
        await one.send(request(crowd.token))
        await two.send(request(crowd.token))
        async with asyncio.timeout(30):
            while crowd.upstream.requests < before + CONCURRENT:
                await asyncio.sleep(0.001)
        await three.send(request(crowd.token))
        assert (await three.answer()).status == 429
        crowd.upstream.may_answer.set()
        assert [(await each.answer()).status for each in (one, two)] == [200, 200]


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
async def test_a_place_is_free_again_after(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, ending: Odd
) -> None:
    async with crowded(kafka, tmp_path, upstream, monkeypatch) as crowd:
        for _ in range(CONCURRENT + 1):
            upstream.asked.clear()
            with pytest.MonkeyPatch.context() as crowd.monkeypatch:
                async with connected(crowd.gate) as client:
                    await ending(crowd, client)
                upstream.may_answer.set()
                async with asyncio.timeout(30):
                    while crowd.gate.gateway.endpoint._running:
                        await asyncio.sleep(0.01)
        await all_places_are_free(crowd)


async def test_a_place_is_free_again_after_a_block(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    async with crowded(kafka, tmp_path, upstream, monkeypatch) as crowd:
        crowd.token = bearer("blocked-bea")
        async with connected(crowd.gate) as one, connected(crowd.gate) as two:
            await gone_before_answer(crowd, one)
            await gone_before_answer(crowd, two)
            await tell(block("blocked-bea"))
            assert [(await each.answer()).status for each in (one, two)] == [403, 403]
        crowd.token = bearer("alice")
        await all_places_are_free(crowd)
