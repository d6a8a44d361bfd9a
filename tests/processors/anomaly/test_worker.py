"""Real worker processes on a real broker: findings come of frames, and no crash loses or doubles one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pytest

from schemas.codec import codec
from schemas.kafka import KafkaAddress, ensure_topics
from tests.processors.anomaly.making import exchange
from tests.processors.fleet import Fleet
from tests.processors.test_worker_flow import probe, ready
from tests.processors.trail import fill, lag, read_all, until

GROUP = "sluicegate-anomaly"
PARTITIONS = 4
WAIT_S = 60.0
RULES = """
rules:
  - name: secret-reads
    severity: high
    title: "{principal} read {value} secrets"
    explanation: "{value} of {threshold}"
    key: principal
    feature: sensitive_reads
    window: 1h
    at_least: 10
  - name: many-readers
    severity: medium
    title: "{value} principals on {connection}"
    explanation: "{value} of {threshold}"
    key: connection
    feature: distinct_principals
    window: 1h
    at_least: 6
"""


@pytest.fixture
def fleet(kafka: KafkaAddress, tmp_path: Path) -> Iterator[Fleet]:
    """Up to three workers, none yet."""
    (tmp_path / "rules.yaml").write_text(RULES)

    def arguments(home: Path) -> list[str]:
        return ["tests.processors.anomaly.worker", kafka.bootstrap, str(home), str(tmp_path / "rules.yaml")]

    with Fleet(tmp_path, arguments, 3, Random(7)) as workers:
        yield workers


class Trail:
    """Fills topic `audit`, each session on one partition, with places of `frames` that go on from test to test."""

    def __init__(self, kafka: KafkaAddress, mark: str, already: list[int]) -> None:
        self._kafka = kafka
        self._mark = mark
        self._next = already
        self._number = crc32(mark.encode()) % 1000 * 10_000

    @classmethod
    async def of(cls, kafka: KafkaAddress, mark: str) -> Trail:
        """A trail whose principals and connection begin with `mark`."""
        await ensure_topics(kafka)
        rows = [
            codec("audit").decode(row.value) for row in await read_all(kafka.bootstrap, "audit", PARTITIONS)
        ]
        ends = [
            max([r["frames_offset"] + 1 for r in rows if r["frames_partition"] == n], default=0)
            for n in range(4)
        ]
        return cls(kafka, mark, ends)

    def reads(self, principal: int, count: int) -> list[tuple[int, bytes, bytes]]:
        """Reads of secrets by one principal, in one session."""
        who = f"{self._mark}-{principal}"
        partition = crc32(who.encode()) % PARTITIONS
        return [row for _ in range(count) for row in self._read(who, partition)]

    def _read(self, who: str, partition: int) -> list[tuple[int, bytes, bytes]]:
        self._number += 1
        arguments = {"apiVersion": "v1", "kind": "Secret", "namespace": "shop", "name": "db"}
        over = {"principal_subject": who, "connection": self._mark}
        rows = []
        for value in exchange(self._number, "resources_get", arguments, partition=partition, **over):
            record: Any = codec("audit").decode(value)
            record["frames_offset"] = self._next[partition]
            self._next[partition] += 1
            rows.append((partition, who.encode(), codec("audit").encode(record)))
        return rows

    async def fill(self, rows: list[tuple[int, bytes, bytes]]) -> None:
        """Put rows on the topic."""
        await fill(self._kafka.bootstrap, "audit", rows)

    async def findings(self) -> list[dict[str, Any]]:
        """The findings about this trail, each once; what is there twice is the same bytes."""
        rows = await read_all(self._kafka.bootstrap, "findings", 1)
        records = [(row.value, codec("finding").decode(row.value)) for row in rows]
        ours = {v: r for v, r in records if r["attributes"].get("connection") == self._mark}
        return list(ours.values())


async def caught_up(kafka: KafkaAddress) -> bool:
    """Whether the group has read everything of both topics."""
    topics = ("audit", "observations")
    return not any([await lag(kafka.bootstrap, GROUP, topic, PARTITIONS) for topic in topics])


async def settled(kafka: KafkaAddress) -> None:
    """Wait for that; observations come of frames, so it has to hold twice."""
    for _ in range(2):
        await until(lambda: caught_up(kafka), WAIT_S)


def expected(found: list[dict[str, Any]]) -> None:
    """Twelve principals over the threshold, once each, and the connection, once."""
    raised = Counter(f["rule"] for f in found if f["act"] == "raised")
    assert raised == {"secret-reads": 12, "many-readers": 1}
    assert len({f["finding_id"] for f in found}) == 13
    for finding in found:
        if finding["rule"] == "secret-reads" and finding["act"] == "raised":
            assert finding["attributes"]["value"] == "10"
            assert len(finding["evidence"]) == 10


async def test_findings_come_of_frames_across_partitions(kafka: KafkaAddress, fleet: Fleet) -> None:
    trail = await Trail.of(kafka, "one")
    fleet.add()
    await ready(fleet)
    await trail.fill([row for n in range(16) for row in trail.reads(n, 10 if n < 12 else 9)])
    await settled(kafka)
    expected(await trail.findings())
    _, figures = await asyncio.to_thread(probe, fleet.homes()[0], "/metrics")
    assert 'sluicegate_anomaly_findings_total{act="raised",rule="secret-reads"} 12.0' in figures


async def test_a_frame_that_is_in_the_trail_twice_counts_once(kafka: KafkaAddress, fleet: Fleet) -> None:
    trail = await Trail.of(kafka, "two")
    fleet.add()
    await ready(fleet)
    rows = trail.reads(0, 9)
    await trail.fill(rows)
    await settled(kafka)
    await trail.fill(rows)
    await settled(kafka)
    assert await trail.findings() == []
    await trail.fill(trail.reads(0, 1))
    await settled(kafka)
    assert [f["attributes"]["value"] for f in await trail.findings()] == ["10"]


async def test_killed_stopped_and_added_workers_lose_and_double_nothing(
    kafka: KafkaAddress, fleet: Fleet
) -> None:
    """Counts of nine survive every change of hands: one more read makes ten, and only for those who had nine."""
    trail = await Trail.of(kafka, "six")
    batches = [[row for n in range(16) for row in trail.reads(n, 1)] for _ in range(9)]
    fleet.add()
    await ready(fleet)
    for number, rows in enumerate(batches):
        await trail.fill(rows)
        match number:
            case 2 | 5:
                fleet.add()
            case 3 | 6:
                fleet.kill()
            case 7:
                await until(lambda: asyncio.to_thread(lambda: fleet.alive() > 0), WAIT_S)
                fleet.add()
    await ready(fleet)
    await settled(kafka)
    raised = [f["rule"] for f in await trail.findings() if f["act"] == "raised"]
    assert raised == ["many-readers"]
    fleet.stop()
    await trail.fill([row for n in range(12) for row in trail.reads(n, 1)])
    await until(lambda: asyncio.to_thread(lambda: not fleet.ending()), WAIT_S)
    if not fleet.alive():
        fleet.add()
    await settled(kafka)
    expected(await trail.findings())


async def test_poison_goes_to_the_dead_letters_and_stops_nothing(kafka: KafkaAddress, fleet: Fleet) -> None:
    trail = await Trail.of(kafka, "bad")
    fleet.add()
    await ready(fleet)
    rows = trail.reads(0, 10)
    await trail.fill([rows[0], (rows[0][0], b"bad-key", b"nonsense"), *rows[1:]])
    await fill(kafka.bootstrap, "observations", [(0, b"bad-key", b"nonsense")])
    await settled(kafka)
    assert len(await trail.findings()) == 1
    letters = [
        codec("dead_letter").decode(row.value) for row in await read_all(kafka.bootstrap, "dead-letters", 1)
    ]
    ours = [letter for letter in letters if letter["key"] == b"bad-key"]
    assert {(letter["topic"], letter["component"]) for letter in ours} == {
        ("audit", "processors.anomaly"),
        ("observations", "processors.anomaly"),
    }
