"""Commands that stop somebody: in force on every replica, on the record, and truthful when Kafka is away."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from gateway.edge.announce import stamp
from gateway.edge.control import in_force
from schemas.control import (
    ControlRecord,
    Lowered,
    approval_demanded,
    limits_lowered,
    principal_blocked,
)
from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.cli.app import app
from tests.gateway.control.people import announcing, reading, somebody, until
from tests.support.topics import acts

ISSUER = "https://id.example.com/"
ME = f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"


def configured(folder: Path, bootstrap: str) -> Path:
    """A configuration for a cluster."""
    file = folder / "sluicegate.yaml"
    file.write_text(
        f'data_dir: "{folder / "data"}"\nkafka: {{bootstrap: "{bootstrap}"}}\n'
        'identity:\n  mode: oidc\n  public_url: "https://gate.example.com"\n'
        f'  issuers: [{{name: people, issuer: "{ISSUER}"}}]\n'
        'connections: [{name: demo, upstream: "http://127.0.0.1:9/mcp"}]\n',
        encoding="utf-8",
    )
    return file


@pytest.fixture
def config(broker: str, tmp_path: Path) -> Path:
    """The configuration of the shared broker, which has all topics."""
    asyncio.run(ensure_topics(KafkaAddress(broker, embedded=True)))
    return configured(tmp_path, broker)


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(config)])


def holding(broker: str, subject: str = "") -> list[ControlRecord]:
    records = asyncio.run(in_force(KafkaAddress(broker, embedded=True)))
    return [record for record in records if record["subject"] == subject]


def told(broker: str, target: str) -> list[dict[str, Any]]:
    return asyncio.run(acts(broker, lambda record: record["target"] == target))


def test_a_block_is_in_force_and_on_the_record_before_and_after(config: Path, broker: str) -> None:
    subject = f"mallory-{uuid4()}"
    words = ("principals", "block", subject, "--issuer", "people", "--for", "2h", "--reason", "laptop stolen")
    before = time.time()
    result = run(config, *words)
    assert result.exit_code == 0, result.output
    assert f"{subject} of {ISSUER} is blocked until" in result.stdout
    (record,) = holding(broker, subject)
    assert (record["issuer"], record["reason"], record["by"]) == (ISSUER, "laptop stolen", f"cli:{ME}")
    assert record["expires_at"] is not None
    assert record["expires_at"] / 1e6 - before == pytest.approx(7_200, abs=30)
    rows = told(broker, f"{ISSUER}|{subject}")
    assert [(row["action"], str(row["outcome"])) for row in rows] == [
        ("principal.block", "asked"),
        ("principal.block", "done"),
    ]
    assert {(row["actor_subject"], str(row["actor_kind"]), row["reason"]) for row in rows} == {
        (ME, "cli", "laptop stolen")
    }
    assert json.loads(rows[0]["detail"]) == {"for_seconds": 7_200}


def test_who_is_blocked_is_listed_and_let_in_again(config: Path, broker: str) -> None:
    subject = f"mallory-{uuid4()}"
    assert run(config, "principals", "block", subject, "--reason", "a").exit_code == 0
    assert run(config, "principals", "block", subject, "--issuer", ISSUER, "--reason", "b").exit_code == 0
    listed = [json.loads(line) for line in run(config, "principals", "list", "--json").stdout.splitlines()]
    mine = [row for row in listed if row["subject"] == subject]
    assert [(row["issuer"], row["until"], row["reason"]) for row in mine] == [
        ("", None, "a"),
        (ISSUER, None, "b"),
    ]
    assert subject in run(config, "principals", "list").stdout
    assert run(config, "principals", "unblock", subject, "--issuer", "people").exit_code == 0
    assert [record["issuer"] for record in holding(broker, subject)] == [""]
    assert run(config, "principals", "unblock", subject, "--reason", "found it").exit_code == 0
    assert holding(broker, subject) == []
    again = run(config, "principals", "unblock", subject)
    assert (again.exit_code, "nobody called" in again.stderr) == (1, True)
    (_asked, done) = [row for row in told(broker, f"|{subject}") if row["action"] == "principal.unblock"]
    assert (str(done["outcome"]), done["reason"]) == ("done", "found it")


def test_a_session_is_killed_and_a_token_revoked(config: Path, broker: str) -> None:
    session, token = str(uuid4()), str(uuid4())
    assert run(config, "sessions", "kill", session, "--reason", "odd calls").exit_code == 0
    assert run(config, "tokens", "revoke", token).exit_code == 0
    found = {record["target"]: record["reason"] for record in holding(broker)}
    assert found[f"kill:{session}"] == "odd calls"
    assert f"revoke:{token}" in found
    assert [row["action"] for row in told(broker, session)] == ["session.kill"] * 2
    assert [row["action"] for row in told(broker, token)] == ["token.revoke"] * 2


async def _answered(broker: str, *records: ControlRecord) -> None:
    async with announcing(KafkaAddress(broker, embedded=True)) as announcer:
        for record in records:
            assert await announcer.control(record["target"], record)


def test_answers_to_findings_are_listed_and_lifted_and_a_block_by_a_person_stays(
    config: Path, broker: str
) -> None:
    subject, session, finding = f"mallory-{uuid4()}", str(uuid4()), str(uuid4())
    by: Any = {"by": "rule:secret-reads", "reason": "14 secrets", "cause": finding}
    records = [
        approval_demanded(stamp(), session_id=session, **by),
        principal_blocked(stamp(), ISSUER, subject, **by),
        limits_lowered(stamp(), ISSUER, subject, Lowered(0.5, 1), **by),
    ]
    asyncio.run(_answered(broker, *records))
    assert run(config, "principals", "block", subject, "--issuer", "people", "--reason", "x").exit_code == 0
    listed = [json.loads(line) for line in run(config, "responses", "list", "--json").stdout.splitlines()]
    mine = [row for row in listed if row["finding_id"] == finding]
    assert [row["response"] for row in mine] == ["approval demanded", "blocked", "limits lowered"]
    assert f"session {session}" in run(config, "responses", "list").stdout
    assert run(config, "responses", "lift", session, "--reason", "a drill").exit_code == 0
    (asked, done) = told(broker, session)
    assert (asked["action"], str(done["outcome"]), done["reason"]) == ("response.lift", "done", "a drill")
    assert json.loads(done["detail"])["finding_id"] == finding
    lifted = run(config, "responses", "lift", finding).stdout.splitlines()
    assert lifted == [f"lifted: {what} of {ISSUER}|{subject}" for what in ("blocked", "limits lowered")]
    assert [record["by"] for record in holding(broker, subject)] == [f"cli:{ME}"]
    again = run(config, "responses", "lift", finding)
    assert (again.exit_code, "no response to" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("principals", "block", "m", "--reason", "x", "--for", "soon"), "90s, 30m, 2h or 7d"),
        (("principals", "block", "m", "--reason", "x", "--for", "0h"), "90s, 30m, 2h or 7d"),
        (("principals", "block", "m", "--reason", "x", "--issuer", "nobody"), "it has: people"),
        (("principals", "block", "m"), "--reason"),
        (("principals", "block", "", "--reason", "x"), "SUBJECT is empty"),
        (("sessions", "kill", "no-uuid"), "valid UUID"),
        (("tokens", "revoke", "ey.ab.cd"), "not the token"),
    ],
)
def test_a_wrong_command_line_is_told_and_changes_nothing(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = run(configured(tmp_path, "127.0.0.1:9"), *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "ey.ab.cd" not in result.output


def test_without_kafka_nothing_is_changed_and_the_command_says_so(
    tmp_path: Path, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluicegate.cli.decisions.DEADLINE_SECONDS", 0.5)
    result = run(configured(tmp_path, f"127.0.0.1:{silent_port}"), "sessions", "kill", str(uuid4()))
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr
    assert "cannot be reached" in result.stderr
    assert result.stdout == ""


async def test_every_replica_refuses_within_two_seconds_of_the_command(config: Path, broker: str) -> None:
    who = somebody(issuer=ISSUER)
    kafka = KafkaAddress(broker, embedded=True)
    async with reading(kafka) as one, reading(kafka) as two:
        words = ("principals", "block", who.subject, "--reason", "stolen")
        result = await asyncio.to_thread(run, config, *words)
        assert result.exit_code == 0, result.output
        await until(lambda: one.blocked(who) == two.blocked(who) == "stolen", 2.0)
