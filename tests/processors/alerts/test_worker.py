"""Real worker processes on a real broker, telling real services: nothing is lost, at most one thing is repeated."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from schemas.codec import codec
from schemas.control import ControlRecord, alerts_silenced, control_value, open_control
from schemas.findings import FindingRecord, finding_value, open_finding
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.stamps import Stamp
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.processors.alerts.making import ISSUER, SECOND, finding
from tests.processors.alerts.services import Service, http_service
from tests.processors.fleet import Fleet
from tests.processors.test_worker_flow import ready
from tests.processors.trail import fill, lag, read_all, until
from tests.support.broker import running

WAIT_S = 60.0
GROUP = "sluicegate-alerts"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """A broker of these tests alone: others raise findings too, which would be told here."""
    broker = KafkaBroker(tmp_path_factory.mktemp("alerts-kafka"), sync=False, heap_mb=256)
    broker.prepare(plain_say)
    with running(broker):
        yield KafkaAddress(broker.bootstrap, embedded=True)


@pytest.fixture
def services() -> Iterator[tuple[Service, Service]]:
    with http_service() as one, http_service() as two:
        yield one, two


class Desk:
    """Workers with certain settings, and what lies on the topics."""

    def __init__(self, kafka: KafkaAddress, root: Path) -> None:
        self.kafka = kafka
        self._file = root / "settings.json"
        self.fleet = Fleet(root / "workers", self._arguments, 2, Random(7))

    def _arguments(self, home: Path) -> list[str]:
        return ["tests.processors.alerts.worker", self.kafka.bootstrap, str(home), str(self._file)]

    async def start(self, routes: list[dict[str, Any]], **over: Any) -> None:
        """A worker that is ready. Retries follow fast unless `over` says otherwise."""
        quick = {"attempt_seconds": 5.0, "retry_seconds": 0.2, "retry_seconds_max": 0.5, **over}
        self._file.write_text(json.dumps({"routes": routes, **quick}), "utf-8")
        await ensure_topics(self.kafka)
        self.fleet.add()
        await ready(self.fleet)

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.fleet.kill()
        await until(lambda: asyncio.to_thread(lambda: not self.fleet.ending()), WAIT_S)

    async def again(self) -> None:
        """A worker with the same settings."""
        self.fleet.add()
        await ready(self.fleet)

    async def find(self, *findings: FindingRecord) -> None:
        rows = [(0, one["rule"].encode(), finding_value(one)) for one in findings]
        await fill(self.kafka.bootstrap, "findings", rows)

    async def findings(self, rule: str) -> list[FindingRecord]:
        rows = [open_finding(row.value) for row in await read_all(self.kafka.bootstrap, "findings", 1)]
        return [row for row in rows if row["rule"] == rule]

    async def blocks(self) -> list[ControlRecord]:
        rows = await read_all(self.kafka.bootstrap, "control", 1)
        told = [row for row in rows if row.value and row.key.startswith(b"block@")]
        return [open_control(row.key, row.value) for row in told]

    async def admin(self) -> list[tuple[str, str]]:
        rows = [codec("admin").decode(row.value) for row in await read_all(self.kafka.bootstrap, "admin", 1)]
        return [(row["action"], row["outcome"]) for row in rows]

    async def settled(self) -> None:
        """Everything is read and committed."""

        async def fact() -> bool:
            return all(
                [not await lag(self.kafka.bootstrap, GROUP, name, 1) for name in ("findings", "control")]
            )

        await until(fact, WAIT_S)

    async def figures(self) -> str:
        """The page of metrics of the one worker."""
        (home,) = self.fleet.homes()
        port = (home / "port").read_text().strip()
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as page:
            return await page.text()

    async def shows(self, figure: str) -> None:
        """Returns once that line is on the page of metrics: it follows what the service sees."""

        async def fact() -> bool:
            return figure in await self.figures()

        await until(fact, WAIT_S)

    async def attempts(self) -> int:
        """How many deliveries are on the record, those of other tests among them."""
        return len(await read_all(self.kafka.bootstrap, "alerts.attempts", 1))


@pytest.fixture
def desk(kafka: KafkaAddress, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "workers").mkdir()
    made = Desk(kafka, tmp_path)
    with made.fleet:
        yield made


async def told(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not fact():
            await asyncio.sleep(0.02)


def now() -> int:
    return time.time_ns() // 1_000


def route(name: str, service: Service, **over: Any) -> dict[str, Any]:
    urls = [f"json://{service.url}/{name}"]
    return {"name": name, "urls": urls, "group_seconds": 0.0, "hour_max": 1_000, **over}


def titles(service: Service) -> list[str]:
    return [str(body["title"]) for body in service.received]


async def test_a_finding_reaches_those_who_want_it_within_moments(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    one, two = services
    await desk.start([route("all", one), route("critical", two, severities=["critical"])])
    started = time.monotonic()
    await desk.find(finding(title="first", at=now()))
    await told(lambda: len(one.received) == 1)
    took = time.monotonic() - started
    await desk.find(finding("other", title="second", at=now(), severity="critical"))
    await told(lambda: len(one.received) == 2 and len(two.received) == 1)
    assert titles(two) == ["[critical] other: second"]
    await desk.settled()
    await desk.shows('sluicegate_alerts_findings_total{outcome="told"} 2.0')
    await desk.shows('sluicegate_alerts_attempts_total{outcome="delivered",route="all"} 2.0')
    print(f"finding to service: {took * 1e3:.0f} ms")
    assert took < 5.0


async def test_a_service_that_is_away_is_told_later_and_the_others_hear_that_it_is(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    broken, other = services
    broken.status = 503
    await desk.start([route("broken", broken), route("other", other)], failing_seconds=1.0)
    await desk.find(finding(title="one", at=now()))
    await told(lambda: any("delivery-failed" in title for title in titles(other)))
    await desk.shows('sluicegate_alerts_failing{route="broken",url="0"} 1.0')
    assert not any("delivery-failed" in title for title in titles(broken))
    (failed,) = await desk.findings("delivery-failed")
    assert failed["attributes"]["route"] == "broken"
    tries = len(broken.received)
    broken.status = 200
    await told(lambda: len(broken.received) > tries)
    after = len(broken.received)
    await desk.settled()
    await desk.shows('sluicegate_alerts_failing{route="broken",url="0"} 0.0')
    assert len(broken.received) == after  # taken once, and not sent again


async def test_a_kill_between_delivery_and_its_record_repeats_one_message_and_loses_none(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    service, _ = services
    service.open.clear()
    await desk.start([route("all", service)], attempt_seconds=30.0)
    names = [f"finding-{number}" for number in range(6)]
    await desk.find(*(finding(f"rule-{name}", title=name, at=now()) for name in names))
    await told(lambda: len(service.received) == 1)  # it has it, and has not answered
    await desk.settled()
    await desk.kill()
    service.open.set()
    await desk.again()
    await told(lambda: all(any(name in title for title in titles(service)) for name in names))
    await desk.find(finding("rule-last", title="the last", at=now()))
    await told(lambda: any("the last" in title for title in titles(service)))
    counts = [sum(name in title for title in titles(service)) for name in names]
    assert sorted(counts) == [1, 1, 1, 1, 1, 2]


async def test_what_was_delivered_is_not_told_again_by_a_worker_that_starts(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    service, _ = services
    await desk.start([route("all", service, group_seconds=0.5)])
    one, before = finding(title="one", at=now()), await desk.attempts()
    await desk.find(one)
    await told(lambda: len(service.received) == 1)
    await until(lambda: _attempts_read(desk, before + 1), WAIT_S)
    await desk.kill()
    await desk.again()
    await desk.find(one, finding("after", title="after", at=now()))
    await told(lambda: len(service.received) >= 2)
    assert titles(service) == ["[high] secret-reads: one", "[high] after: after"]


async def _attempts_read(desk: Desk, count: int) -> bool:
    return await desk.attempts() >= count and not await lag(desk.kafka.bootstrap, GROUP, "alerts.attempts", 1)


async def test_what_is_silenced_by_a_person_is_told_to_nobody_until_it_is_taken_back(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    service, _ = services
    await desk.start([route("all", service)])
    silence = alerts_silenced(
        Stamp(str(uuid4()), now()),
        "noisy-*",
        "",
        "",
        by="cli:ann",
        reason="a drill",
        expires_at=now() + 600 * SECOND,
    )
    key = silence["target"].encode()
    await fill(desk.kafka.bootstrap, "control", [(0, key, control_value(silence))])
    await desk.settled()
    await desk.find(
        finding("noisy-rule", title="unheard", at=now()), finding("other", title="heard", at=now())
    )
    await told(lambda: len(service.received) == 1)
    await desk.settled()
    await desk.kill()
    await desk.again()
    await desk.find(finding("noisy-rule", title="still unheard", at=now()))
    await desk.settled()
    await fill(desk.kafka.bootstrap, "control", [(0, key, None)])  # type: ignore[list-item]  # a tombstone
    await desk.settled()
    await desk.find(finding("noisy-rule", title="heard again", at=now()))
    await told(lambda: len(service.received) == 2)
    assert titles(service) == ["[high] other: heard", "[high] noisy-rule: heard again"]


async def test_a_response_is_on_the_record_in_force_within_two_seconds_and_bounded(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    service, _ = services
    responses = {"on": True, "blocks_hour_max": 2, "exempt": ["|root"]}
    await desk.start([route("all", service)], responses=responses)
    facts = {"response": "block for 1h"}
    started = time.monotonic()
    await desk.find(finding(who="mallory", at=now(), facts=facts))
    await until(lambda: _blocked(desk, 1), 30.0)
    took = time.monotonic() - started
    (block,) = await desk.blocks()
    assert (block["issuer"], block["subject"], block["by"]) == (ISSUER, "mallory", "rule:secret-reads")
    assert block["expires_at"] is not None
    await desk.find(*(finding(who=who, at=now(), facts=facts) for who in ("root", "eve", "oscar")))
    await told(lambda: any("responses-held-back" in title for title in titles(service)))
    assert [record["subject"] for record in await desk.blocks()] == ["mallory", "eve"]
    (held,) = await desk.findings("responses-held-back")
    assert held["attributes"]["principal_subject"] == "oscar"
    assert await desk.admin() == [("response.block", "asked"), ("response.block", "done")] * 2
    print(f"finding to control: {took * 1e3:.0f} ms")
    assert took < 2.0


async def _blocked(desk: Desk, count: int) -> bool:
    return len(await desk.blocks()) >= count


async def test_poison_stops_nothing_and_is_a_dead_letter(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    service, _ = services
    await desk.start([route("all", service)])
    await fill(desk.kafka.bootstrap, "findings", [(0, b"x", b"junk")])
    await fill(desk.kafka.bootstrap, "control", [(0, b"silence:x|", b"junk"), (0, b"block:x|y", b"junk")])
    await desk.find(finding(title="after it", at=now()))
    await told(lambda: len(service.received) == 1)
    await desk.settled()
    letters = [
        codec("dead_letter").decode(row.value)
        for row in await read_all(desk.kafka.bootstrap, "dead-letters", 1)
    ]
    assert {(letter["topic"], letter["component"]) for letter in letters} == {
        ("findings", "processors.alerts"),
        ("control", "processors.alerts"),
    }


async def test_of_two_workers_one_tells_and_the_other_takes_over(
    desk: Desk, services: tuple[Service, Service]
) -> None:
    service, _ = services
    await desk.start([route("all", service)])
    desk.fleet.add()
    await desk.find(finding(title="one", at=now()))
    await told(lambda: len(service.received) >= 1)
    desk.fleet.stop()
    await until(lambda: asyncio.to_thread(lambda: not desk.fleet.ending()), WAIT_S)
    await desk.find(finding("two", title="two", at=now()))
    await told(lambda: any("two" in title for title in titles(service)))
