"""Who tries to get a held call run without the person that it needs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from schemas.approvals import ApprovalRequest, ApprovalSettled, open_settled, settled_value, signed_settled
from schemas.kafka import KafkaAddress
from tests.gateway.holding.office import WAIT_SECONDS, Case, call, office
from tests.gateway.holding.test_waiting import text
from tests.processors.approvals.making import CONSOLE, GATEWAY, PARTITIONS, STRANGER
from tests.processors.trail import fill, read_all

pytestmark = pytest.mark.usefixtures("approving")


async def answered(case: Case, asked: ApprovalRequest, decision_id: str) -> ApprovalSettled:
    """What the machine says to a decision."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            rows = await read_all(case.kafka.bootstrap, "approvals.settled", PARTITIONS)
            mine = [open_settled(r.key, r.value) for r in rows if r.key == asked["approval_id"].encode()]
            found = [record for record in mine if record["decision_id"] == decision_id]
            if found:
                return found[0]


@pytest.mark.parametrize("groups", [["owners"], ["owners", "admins"]])
async def test_abuse_75_who_asked_does_not_approve_it_through_another_client_or_role(
    kafka: KafkaAddress, tmp_path: Path, groups: list[str]
) -> None:
    mark, own = uuid4().hex, str(uuid4())
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        issuer, subject = asked["principal_issuer"], asked["principal_subject"]
        await case.decide(asked, subject, decision_id=own, who_issuer=issuer, who_groups=groups)
        refused = await answered(case, asked, own)
        assert (refused["state"], case.ran(mark), answer.done()) == ("pending", 0, False)
        await case.decide(asked, verb="deny", comment="ask somebody else")
        _, said = await answer
    assert refused["refusal"]
    assert "ask somebody else" in text(said)
    assert case.ran(mark) == 0


async def test_abuse_76_what_was_approved_and_revoked_is_asked_for_again(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        await case.caller.post(call(name=mark), accept="application/json")
        asked = await case.requested(mark)
        await case.decide(asked)
        await case.settled(asked["approval_id"], "approved")
        await case.decide(asked, verb="revoke", comment="not any more")
        await case.settled(asked["approval_id"], "revoked")
        _, said = await case.caller.post(call(name=mark), accept="application/json")
        both = await case.all_requested(mark, 2)
    assert both[1]["approval_id"] in said.decode()
    assert case.ran(mark) == 0


async def test_abuse_77_of_two_reviewers_at_once_one_decides_and_the_call_follows_that_one(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark, yes, no = uuid4().hex, str(uuid4()), str(uuid4())
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        await asyncio.gather(
            case.decide(asked, "ann", decision_id=yes),
            case.decide(asked, "carl", "deny", decision_id=no),
        )
        approved, denied = await answered(case, asked, yes), await answered(case, asked, no)
        _, said = await answer
    assert bool(approved["refusal"]) != bool(denied["refusal"])
    assert case.ran(mark) == (0 if approved["refusal"] else 1)
    assert (text(said) == "done") == (not approved["refusal"])


async def test_abuse_80_a_forged_record_on_the_topic_lets_no_held_call_run(
    kafka: KafkaAddress, tmp_path: Path
) -> None:
    mark = uuid4().hex
    async with office(kafka, tmp_path) as case:
        answer = asyncio.create_task(case.caller.post(call(name=mark)))
        asked = await case.requested(mark)
        pending = await case.settled(asked["approval_id"], "pending")
        for key in (STRANGER, GATEWAY, CONSOLE):  # keys of other components are no better than a stranger's
            over = {"state": "approved", "version": 9, "uses_left": 1, "settled_id": str(uuid4())}
            value = settled_value(signed_settled({**pending, **over}, key))
            await fill(kafka.bootstrap, "approvals.settled", [(None, pending["approval_id"].encode(), value)])
        await case.decide(asked, verb="deny", comment="the real answer")
        _, said = await answer
    assert "the real answer" in text(said)
    assert case.ran(mark) == 0
