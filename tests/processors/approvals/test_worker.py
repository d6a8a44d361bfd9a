"""Real worker processes on a real broker: what is pending survives them, and poison stops nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.approvals import ApprovalSettled, open_settled
from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from tests.processors.approvals.making import PARTITIONS, SECOND, STRANGER, decision, request, use
from tests.processors.fleet import Fleet
from tests.processors.test_worker_flow import ready
from tests.processors.trail import fill, lag, read_all, until

REQUESTED, DECIDED, SETTLED = "approvals.requested", "approvals.decided", "approvals.settled"
GROUP = "sluicegate-approvals"
WAIT_S = 60.0


@pytest.fixture
def fleet(kafka: KafkaAddress, tmp_path: Path) -> Iterator[Fleet]:
    """Up to two workers, none yet."""

    def arguments(home: Path) -> list[str]:
        return ["tests.processors.approvals.worker", kafka.bootstrap, str(home)]

    with Fleet(tmp_path, arguments, 2, Random(7)) as workers:
        yield workers


def now() -> int:
    return time.time_ns() // 1_000


class Case:
    """One approval, with an id of its own and times of today."""

    def __init__(self, kafka: KafkaAddress, seconds: float = 600, **over: Any) -> None:
        self.id = str(uuid4())
        self._kafka = kafka
        self._number = 0
        at = now()
        times = {"requested_at": at, "expires_at": at + int(seconds * SECOND)}
        self.request = request(approval_id=self.id, **times, **over)

    async def ask(self) -> None:
        await fill(self._kafka.bootstrap, REQUESTED, [(None, *self.request)])

    async def say(self, who: str, verb: str = "approve", **over: Any) -> None:
        await fill(self._kafka.bootstrap, DECIDED, [(None, *self.said(who, verb, **over))])

    def said(self, who: str, verb: str = "approve", **over: Any) -> tuple[bytes, bytes]:
        fields = {"decision_id": str(uuid4()), "approval_id": self.id, "at": now(), **over}
        return use(1, **fields) if verb == "use" else decision(1, who, verb, **fields)

    async def settled(self) -> list[ApprovalSettled]:
        """What is settled, by version; every repeat of a version is the same bytes."""
        rows = [
            r for r in await read_all(self._kafka.bootstrap, SETTLED, PARTITIONS) if r.key == self.id.encode()
        ]
        versions = {open_settled(r.key, r.value)["version"]: r.value for r in rows}
        assert len({r.value for r in rows}) == len(versions)
        return [open_settled(self.id.encode(), versions[number]) for number in sorted(versions)]

    async def comes_to(self, state: str) -> ApprovalSettled:
        """Wait for a state."""

        async def fact() -> bool:
            found = await self.settled()
            return bool(found) and found[-1]["state"] == state

        await until(fact, WAIT_S)
        return (await self.settled())[-1]


async def findings(kafka: KafkaAddress, mark: str) -> list[str]:
    """Rules of the findings whose evidence names `mark`."""
    rows = [codec("finding").decode(row.value) for row in await read_all(kafka.bootstrap, "findings", 1)]
    return [row["rule"] for row in rows if mark in row["evidence"]]


async def test_abuse_78_a_restart_while_pending_loses_nothing_and_runs_nothing(
    kafka: KafkaAddress, fleet: Fleet
) -> None:
    await ensure_topics(kafka)
    quorum = [{"reviewers": ["owners"], "people": 2}]
    fleet.add()
    await ready(fleet)
    kept, expiring = Case(kafka, quorum=quorum), Case(kafka, seconds=10)  # from here: a start takes its time
    for case in (kept, expiring):
        await case.ask()
        await case.comes_to("pending")
    await kept.say("ann")
    await until(lambda: _versions(kept, 2), WAIT_S)
    fleet.kill()
    await until(lambda: asyncio.to_thread(lambda: not fleet.ending()), WAIT_S)
    await kept.say("dan")
    fleet.add()
    granted = await kept.comes_to("approved")
    assert (granted["uses_left"], len(granted["approvers"])) == (1, 2)
    fleet.stop()
    await until(lambda: asyncio.to_thread(lambda: not fleet.ending()), WAIT_S)
    fleet.add()
    await kept.say("bob", "use", use_id="exchange")
    assert (await kept.comes_to("used"))["use_id"] == "exchange"
    ended = await expiring.comes_to("expired")
    assert ended["at"] == ended["ends_at"]
    assert [row["state"] for row in await kept.settled()] == ["pending", "pending", "approved", "used"]


async def _versions(case: Case, count: int) -> bool:
    return len(await case.settled()) >= count


async def test_two_workers_share_the_work_and_one_takes_over(kafka: KafkaAddress, fleet: Fleet) -> None:
    await ensure_topics(kafka)
    fleet.add()
    fleet.add()
    await ready(fleet)
    cases = [Case(kafka) for _ in range(24)]
    await asyncio.gather(*(case.ask() for case in cases))
    await asyncio.gather(*(case.say("ann") for case in cases[:12]))
    fleet.kill()
    await asyncio.gather(*(case.say("ann") for case in cases[12:]))
    for n in range(2):  # each is asked for twice, by two gateways at once
        await asyncio.gather(*(case.say("bob", "use", use_id=f"exchange-{n}") for case in cases))

    async def fact() -> bool:
        return not await lag(kafka.bootstrap, GROUP, DECIDED, PARTITIONS)

    await until(fact, WAIT_S)
    for case in cases:
        await case.comes_to("used")
        rows = await case.settled()
        assert len([row for row in rows if row["use_id"]]) == 1
        assert [row["state"] for row in rows] == ["pending", "approved", "used", "used"]


async def test_abuse_80_poison_and_forgeries_stop_nothing_and_are_seen(
    kafka: KafkaAddress, fleet: Fleet
) -> None:
    await ensure_topics(kafka)
    case = Case(kafka)
    fleet.add()
    await ready(fleet)
    mark = f"poison-{case.id}".encode()
    await fill(kafka.bootstrap, REQUESTED, [(None, mark, b"nonsense"), (None, *case.request)])
    await fill(kafka.bootstrap, DECIDED, [(None, mark, b"nonsense"), (None, *case.said("ann", key=STRANGER))])
    await case.say("ann")
    assert len((await case.comes_to("approved"))["approvers"]) == 1
    ours: list[dict[str, Any]] = []

    async def told() -> bool:  # poison lies on other partitions than the case
        rows = await read_all(kafka.bootstrap, "dead-letters", 1)
        letters = [codec("dead_letter").decode(row.value) for row in rows]
        ours[:] = [letter for letter in letters if letter["key"] == mark]
        return len(ours) >= 2 and bool(await findings(kafka, case.id))

    await until(told, WAIT_S)
    assert {(letter["topic"], letter["reason_code"]) for letter in ours} == {
        (REQUESTED, "undecodable"),
        (DECIDED, "undecodable"),
    }
    assert {letter["component"] for letter in ours} == {"processors.approvals"}
    assert await findings(kafka, case.id) == ["approval-forged"]


async def test_a_decision_is_answered_in_time(kafka: KafkaAddress, fleet: Fleet) -> None:
    """Decision to grant, and asking to being let run: each well within the second that a release may take."""
    await ensure_topics(kafka)
    fleet.add()
    await ready(fleet)
    cases = [Case(kafka) for _ in range(20)]
    for case in cases:
        await case.ask()
    await asyncio.gather(*(case.comes_to("pending") for case in cases))
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")
    reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="latest")
    await producer.start()
    await reader.start()
    try:
        reader.assign([TopicPartition(SETTLED, number) for number in range(PARTITIONS)])
        await reader.seek_to_end()
        took = [await _release(case, producer, reader) for case in cases]
    finally:
        await producer.stop()
        await reader.stop()
    took.sort()
    print(f"decision to use granted: median {took[10] * 1e3:.0f} ms, worst {took[-1] * 1e3:.0f} ms")
    assert took[10] < 1.0


async def _release(case: Case, producer: Any, reader: Any) -> float:
    """Seconds from a decision to the grant of the use that a gateway asks for when it sees it approved."""
    started = time.monotonic()
    for who, verb, state in (("ann", "approve", "approved"), ("bob", "use", "used")):
        key, value = case.said(who, verb)
        await producer.send_and_wait(DECIDED, value, key=key)
        while True:
            row = await reader.getone()
            if row.key == key and open_settled(row.key, row.value)["state"] == state:
                break
    return time.monotonic() - started
