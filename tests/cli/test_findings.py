"""Findings are worked on from the command line of a whole stack, and each act is on the record."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from schemas.findings import FindingRecord, finding_record, finding_value
from sluicegate.embedded.datadir import read_state
from tests.cli.conftest import Asked

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine


def listed(trail: Asked, count: int, *words: str) -> list[dict[str, Any]]:
    """The findings that are asked for, once the store has `count` of them."""
    return trail.rows(count, "findings", "list", *words)


def raise_on(trail: Asked, *findings: FindingRecord) -> None:
    asyncio.run(_send(read_state(trail.config.parent / "var").bootstrap, findings))


async def _send(bootstrap: str, findings: tuple[FindingRecord, ...]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for one in findings:
            await producer.send_and_wait("findings", finding_value(one), key=one["rule"].encode())


def finding(rule: str, title: str = "14 secrets read") -> FindingRecord:
    facts = {
        "principal_issuer": "https://id",
        "principal_subject": "alice",
        "connection": "demo",
        "value": "14",
    }
    return finding_record(
        rule,
        "high",
        title,
        ["frame f1"],
        raised_at=time.time_ns() // 1_000,
        name=str(uuid4()),
        attributes=facts,
    )


def acts_on(trail: Asked, finding_id: str, count: int) -> list[str]:
    acts = trail.rows(count, "admin", "list", "--target", finding_id)
    return [f"{act['action']} {act['outcome']}" for act in reversed(acts)]


def test_a_finding_is_acknowledged_closed_with_a_verdict_and_reopened(trail: Asked) -> None:
    rule = f"secret-reads-{uuid4()}"
    one, two = finding(rule, "odd\x1b[31m reads"), finding(rule)
    raise_on(trail, one, two)
    assert {row["state"] for row in listed(trail, 2, "--rule", rule, "--state", "open")} == {"open"}
    finding_id = one["finding_id"]
    assert trail.run("findings", "ack", finding_id, "--comment", "looking").exit_code == 0
    assert listed(trail, 1, "--rule", rule, "--state", "acknowledged")[0]["comment"] == "looking"
    closed = trail.run(
        "findings", "close", finding_id, "--verdict", "false-positive", "--comment", "the backup"
    )
    assert closed.stdout == f"{finding_id} is closed: false-positive\n"
    (row,) = listed(trail, 1, "--rule", rule, "--state", "closed")
    assert (row["verdict"], row["comment"], row["principal"]) == ("false-positive", "the backup", "alice")
    shown = trail.run("findings", "show", finding_id).stdout
    for text in ("false-positive", "the backup", "frame f1", "acknowledged", "closed", "alice"):
        assert text in shown
    assert "\x1b" not in shown
    rates = [json.loads(line) for line in trail.run("findings", "rates", "--json").stdout.splitlines()]
    (mine,) = [rate for rate in rates if rate["rule"] == rule]
    assert (mine["findings"], mine["open"], mine["false_positive_rate"]) == (2, 1, 1.0)
    assert "100%" in trail.run("findings", "rates").stdout
    assert trail.run("findings", "reopen", finding_id).exit_code == 0
    assert len(listed(trail, 2, "--rule", rule, "--state", "open")) == 2
    assert trail.run("findings", "reopen", finding_id).exit_code == 1
    assert acts_on(trail, finding_id, 6) == [
        f"finding.{act} {outcome}"
        for act in ("acknowledge", "close", "reopen")
        for outcome in ("asked", "done")
    ]


def test_what_cannot_be_is_told_and_changes_nothing(trail: Asked) -> None:
    unknown = str(uuid4())
    for words in (("show", unknown), ("ack", unknown), ("close", unknown, "--verdict", "benign")):
        result = trail.run("findings", *words)
        assert (result.exit_code, "there is no finding" in result.stderr) == (1, True)
    assert trail.run("findings", "close", unknown).exit_code == 2
    assert trail.run("findings", "close", unknown, "--verdict", "maybe").exit_code == 2
    assert trail.run("findings", "show", "1' OR 1").exit_code == 2
    assert trail.run("findings", "silence", "--for", "1h", "--reason", "x").exit_code == 2
    assert trail.run("findings", "unsilence", "--rule", "none-such").exit_code == 1


def test_a_silence_is_listed_until_it_is_taken_back(trail: Asked) -> None:
    rule = f"noisy-{uuid4()}-*"
    words = ("--rule", rule, "--principal", "backup")
    made = trail.run("findings", "silence", *words, "--for", "2h", "--reason", "ticket 4711")
    assert made.exit_code == 0, made.output
    rows = [json.loads(line) for line in trail.run("findings", "silences", "--json").stdout.splitlines()]
    (mine,) = [row for row in rows if row["rule"] == rule]
    assert (mine["subject"], mine["issuer"], mine["reason"]) == ("backup", "", "ticket 4711")
    assert rule in trail.run("findings", "silences").stdout
    assert trail.run("findings", "unsilence", *words).exit_code == 0
    assert rule not in trail.run("findings", "silences").stdout
    assert acts_on(trail, f"{rule} about |backup", 4)[-1] == "finding.unsilence done"
