"""A held call waits for a person, and runs once or never."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.holding.office import HOLDING, POLICY, WAIT_SECONDS, Case, call, office
from tests.support.trail import read_frames

pytestmark = pytest.mark.usefixtures("approving")


def text(said: bytes) -> str:
    """What a tool result says, out of a body or the last event of a stream."""
    return str(message(said)["result"]["content"][0]["text"])


def message(said: bytes) -> Any:
    """The JSON-RPC message of a body, or of the last event of a stream."""
    if said.lstrip().startswith(b"{"):
        return json.loads(said)
    block = [part for part in said.split(b"\n\n") if b"data:" in part][-1]
    lines = [line[5:].strip() for line in block.split(b"\n") if line.startswith(b"data:")]
    return json.loads(b"\n".join(lines))


async def trail(case: Case, approval_id: str, ended: int = 1) -> list[FrameRecorded]:
    """The frames that name the approval, once so many of them say how an exchange ended."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            rows = [row.frame for row in await read_frames(case.kafka.bootstrap)]
            named = [row for row in rows if row["attributes"].get("approval.id") == approval_id]
            if sum(row["outcome"] != "pending" for row in named) >= ended:
                return named


async def test_an_approved_call_runs_once_and_the_trail_says_who_approved(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        assert (asked["tool"], asked["rule"], asked["kind"]) == ("delete_pod", "deletes", "call")
        assert json.loads(asked["arguments"]) == {"name": mark}
        assert case.ran(mark) == 0
        await case.decide(asked)
        status, said = await answer
        assert (status, text(said), case.ran(mark)) == (200, "done", 1)
        used = await case.settled(asked["approval_id"], "used")
        frames = await trail(case, asked["approval_id"])
    assert used["use_id"] == asked["exchange_id"]
    assert frames[-1]["outcome"] == "completed"
    assert frames[-1]["attributes"]["approval.by"].endswith("|ann")


async def test_a_client_that_waits_long_gets_keep_alives_and_then_the_answer_as_an_event(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    patient = replace(HOLDING, keep_alive_seconds=0.2)
    async with office(kafka, tmp_path, holding=patient) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        await asyncio.sleep(0.6)  # what is tested is time: two keep-alives pass
        await case.decide(asked)
        status, said = await answer
    assert (status, text(said), case.ran(mark)) == (200, "done", 1)
    assert said.count(b"\n\n") >= 3
    assert said.startswith(b":")


async def test_progress_is_told_to_a_client_that_asked_for_it(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    body = json.loads(call(name=mark))
    body["params"]["_meta"] = {"progressToken": "p-1"}
    async with office(kafka, tmp_path, holding=replace(HOLDING, keep_alive_seconds=0.2)) as case:
        answer = asyncio.create_task(case.caller.post(json.dumps(body).encode()))
        asked = await case.requested(mark)
        await asyncio.sleep(0.6)  # as above
        await case.decide(asked, verb="deny", comment="not today")
        _, said = await answer
        frames = await trail(case, asked["approval_id"])
    assert b"notifications/progress" in said
    assert b'"p-1"' in said
    assert asked["approval_id"].encode() in said
    assert case.ran(mark) == 0
    assert next(f["method"] for f in frames if f["direction"] == "response") == "notifications/progress"


@pytest.mark.parametrize(("verb", "reason"), [("deny", "approval_denied"), ("revoke", "approval_revoked")])
async def test_what_is_not_approved_does_not_run_and_the_client_is_told_why(
    kafka: KafkaAddress, tmp_path: Path, verb: str, reason: str
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        await case.decide(asked, verb=verb, comment="not in this week")
        status, said = await answer
        frames = await trail(case, asked["approval_id"])
    assert (status, case.ran(mark)) == (200, 0)
    assert "not in this week" in text(said)
    assert frames[-1]["outcome"] == "refused"
    assert frames[-1]["reason_code"] == reason


async def test_abuse_76_what_nobody_decides_expires_and_cannot_be_approved_later(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    rules = POLICY.replace("reason:", "expires: 2s, reason:")
    async with office(kafka, tmp_path, rules) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        _, said = await answer
        await case.decide(asked)
        refused = await case.settled(asked["approval_id"], "expired")
    assert message(said)["result"]["isError"]
    assert refused["uses_left"] == 0
    assert case.ran(mark) == 0


async def test_abuse_73_arguments_changed_after_approval_are_asked_for_again(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        status, said = await case.caller.post(call(name=mark), accept="application/json")
        asked = await case.requested(mark)
        assert asked["approval_id"] in said.decode()
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        other = f"{mark}-prod"
        await case.caller.post(call(name=other), accept="application/json")
        fresh = await case.requested(other)
        assert fresh["approval_id"] != asked["approval_id"]
        assert case.ran(mark) == 0
        status, said = await case.caller.post(call(name=mark), accept="application/json")
    assert (status, text(said), case.ran(mark)) == (200, "done", 1)


async def test_abuse_74_an_approval_is_good_for_one_run(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        await case.decide(asked)
        await answer
        _, said = await case.caller.post(call(name=mark), accept="application/json")
        both = await case.all_requested(mark, 2)
    assert both[1]["approval_id"] in said.decode()
    assert case.ran(mark) == 1


async def test_abuse_79_a_client_that_has_gone_is_not_executed_for(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        answer.cancel()
        withdrawn = await case.settled(asked["approval_id"], "revoked")
        await case.decide(asked)
        frames = await trail(case, asked["approval_id"])
    assert "gone" in withdrawn["comment"]
    assert frames[-1]["outcome"] == "client_gone"
    assert case.ran(mark) == 0


async def test_abuse_78_a_gateway_that_restarts_while_a_call_is_held_runs_nothing_and_finds_the_approval(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    rules = POLICY
    async with office(kafka, tmp_path, rules) as case:
        first = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        await case.gate.gateway.endpoint.stop(0.0)
        await first
    async with office(kafka, tmp_path, rules) as again:
        await again.decide(asked)
        await again.settled(asked["approval_id"], "approved")
        assert (case.ran(mark), again.ran(mark)) == (0, 0)
        status, said = await again.caller.post(call(name=mark))
    assert (status, text(said)) == (200, "done")
    assert (case.ran(mark), again.ran(mark)) == (0, 1)


async def test_a_client_that_reads_no_stream_is_told_to_come_back_and_finds_the_approval(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        _, said = await case.caller.post(call(name=mark), accept="application/json")
        asked = await case.requested(mark)
        assert asked["approval_id"] in said.decode()
        await case.caller.post(call(name=mark), accept="application/json")
        assert len(await case.all_requested(mark, 1)) == 1
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        _, said = await case.caller.post(call(name=mark), accept="application/json")
    assert (text(said), case.ran(mark)) == ("done", 1)


async def test_a_policy_that_changed_while_the_call_was_held_makes_the_approval_void(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        case.policy.write_text(POLICY.replace("would be gone", "is precious"), "utf-8")
        await case.gate.gateway.policies.reload()
        await case.decide(asked)
        _, said = await answer
    assert b"approval_stale" in said
    assert case.ran(mark) == 0


async def test_breaking_the_glass_runs_at_once_for_those_who_may(kafka: KafkaAddress, tmp_path: Path) -> None:
    mark = uuid4().hex
    rules = POLICY.replace("reason:", "break_glass: {groups: [oncall], review: 1h}, reason:")
    async with office(kafka, tmp_path, rules) as case:
        _, said = await case.caller.post(call(name=mark), sluicegate_break_glass="prod is down")
        asked = await case.requested(mark)
    assert asked["kind"] == "break_glass"
    assert asked["reason"] == "prod is down"
    assert case.ran(mark) == 0  # whoever is asked for no token is in no group
    assert b"may break the glass" in said


async def test_a_standing_grant_lets_calls_within_its_bound_run_without_asking_again(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    grant = "grant: {for: 10m, uses: 2, when: 'tool.arguments.namespace == \"dev\"'}"
    rules = POLICY.replace("reason:", f"{grant}, reason:")
    async with office(kafka, tmp_path, rules) as case:
        first = asyncio.create_task(case.caller.post(call(name=f"{mark}-1", namespace="dev")))
        asked = await case.requested(mark)
        assert (asked["kind"], asked["uses_max"]) == ("standing", 2)
        await case.decide(asked)
        await first
        await case.caller.post(call(name=f"{mark}-2", namespace="dev"))
        assert case.ran(mark) == 2
        await case.caller.post(call(name=f"{mark}-3", namespace="dev"), accept="application/json")
        await case.caller.post(call(name=f"{mark}-4", namespace="prod"), accept="application/json")
        assert len(await case.all_requested(mark, 3)) == 3
    assert case.ran(mark) == 2
