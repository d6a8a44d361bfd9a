"""A finding's way through all parts: somebody is told, the gateway holds the session, a person lifts it again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest
from aiokafka import AIOKafkaProducer

from schemas.findings import FindingRecord, finding_record, finding_value
from sluicegate.embedded.datadir import read_state
from tests.flow.stack import Running, echo, stack
from tests.processors.alerts.services import Service, http_service

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine

WAIT_S = 120.0
REPLICAS_S = 2.0
RULE = "secret-reads-repeated"


@pytest.fixture(scope="module")
def channel() -> Iterator[Service]:
    with http_service() as service:
        yield service


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, channel: Service) -> Iterator[Running]:
    """A stack that tells a channel and may answer."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "url").write_text(f"json://{channel.url}/alerts", "utf-8")
    more = f'findings: {{responses: on, alerts: [{{name: channel, urls: [{{file: "{folder / "url"}"}}]}}]}}\n'
    with echo() as upstream, stack(folder, upstream, more) as up:
        yield up


def until(fact: Callable[[], bool], seconds: float = WAIT_S) -> float:
    """Seconds until `fact()`."""
    started = time.monotonic()
    while not fact():
        assert time.monotonic() - started < seconds
        time.sleep(0.02)
    return time.monotonic() - started


def raised(running: Running, finding: FindingRecord) -> None:
    asyncio.run(_send(read_state(running.data).bootstrap, finding))


async def _send(bootstrap: str, finding: FindingRecord) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait("findings", finding_value(finding), key=finding["rule"].encode())


def passes(running: Running, text: str) -> bool:
    return text.encode() in running.call("plain", text)[2]


def test_a_finding_is_told_and_its_session_held_until_a_person_lifts_it(
    running: Running, channel: Service
) -> None:
    assert passes(running, "before")
    until(lambda: len(running.rows("SELECT session_id FROM v_sessions")) == 1)
    session = str(running.rows("SELECT session_id FROM v_sessions")[0]["session_id"])
    facts = {"session_id": session, "connection": "demo", "response": "demand_approval 3600s"}
    finding = finding_record(
        RULE, "high", "14 secrets read", ["frame f1"], raised_at=time.time_ns() // 1_000, attributes=facts
    )
    raised(running, finding)
    took = until(lambda: not passes(running, "during"))
    print(f"finding to refusal at the client: {took * 1e3:.0f} ms")
    until(lambda: any(RULE in text for text in channel.texts()))
    listed = [json.loads(line) for line in running.run("responses", "list", "--json").stdout.splitlines()]
    assert [(row["session_id"], row["by"]) for row in listed] == [(session, f"rule:{RULE}")]
    assert running.run("responses", "lift", session, "--reason", "a drill").exit_code == 0
    until(lambda: passes(running, "after"))
    acts = "SELECT action, actor_kind, outcome FROM v_admin WHERE action LIKE 'response.%' ORDER BY at"
    until(lambda: len(running.rows(acts)) == 4)
    assert [(row["action"], row["actor_kind"]) for row in running.rows(acts)] == [
        *[("response.demand_approval", "rule")] * 2,
        *[("response.lift", "cli")] * 2,
    ]
    told = f"SELECT outcome FROM v_alerts WHERE has(findings, '{finding['finding_id']}')"
    until(lambda: running.rows(told) == [{"outcome": "delivered"}])
    held = "SELECT rule FROM v_exchanges WHERE verdict = 'hold' LIMIT 1"
    until(lambda: running.rows(held) == [{"rule": "approval-demanded"}])
    assert took < REPLICAS_S
