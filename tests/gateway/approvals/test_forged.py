"""What the machine has not signed is on the topic: nothing comes of it, and a person hears of it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from gateway.edge.approvals import Approvals
from gateway.held import Approval, HeldCall
from schemas.approvals import SETTLED, ApprovalSettled, open_settled, settled_value, signed_settled
from tests.gateway.approvals.people import ANY_NUMBER, Office, asked, granted, held, seen, somebody, until
from tests.processors.approvals.making import CONSOLE, GATEWAY, PARTITIONS, STRANGER
from tests.processors.trail import read_all


async def settled(office: Office, approval: Approval) -> list[ApprovalSettled]:
    """What the topic has of an approval, in order."""
    rows = await read_all(office.kafka.bootstrap, SETTLED, PARTITIONS)
    return [open_settled(row.key, row.value) for row in rows if row.key == approval.approval_id.encode()]


async def passed_off(office: Office, record: ApprovalSettled, key: Any, **over: Any) -> None:
    """Put a record on the topic that somebody else has signed."""
    made = signed_settled({**record, "version": record["version"] + 5, **over}, key)
    await office.put(SETTLED, made["approval_id"].encode(), settled_value(made))


async def test_abuse_80_a_forged_settled_record_is_ignored_and_raised(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    await seen(gateway, call)
    (pending,) = await settled(office, approval)
    for key in (STRANGER, GATEWAY, CONSOLE):  # keys of other components are no better than a stranger's
        await passed_off(office, pending, key, state="approved", uses_left=1)
    waiting = asyncio.create_task(gateway.wait(approval.approval_id, 20))
    await until(lambda: len(raised(office, approval)) == 3)
    assert not waiting.done()
    assert "pending" in await gateway.use(approval.approval_id, call)
    assert {finding["severity"] for finding in raised(office, approval)} == {"critical"}
    await office.say(approval, call)  # the real decision still counts
    told = await waiting
    assert told is not None
    assert told.state == "approved"


def raised(office: Office, approval: Approval) -> list[Any]:
    """The findings about an approval."""
    mine = (each for each in office.findings if approval.approval_id in each["evidence"])
    return [each for each in mine if each["rule"] == "approval-forged"]


async def test_abuse_80_a_forged_answer_lets_no_exchange_run(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await granted(office, gateway, call)
    genuine = (await settled(office, approval))[-1]
    assert await gateway.use(approval.approval_id, call) == ""
    late = held(call.principal, call.digest)
    own = {"state": "used", "uses_left": 0, "use_id": late.exchange_id, "decision_id": str(uuid4())}
    await passed_off(office, genuine, STRANGER, **own)
    await until(lambda: raised(office, approval))
    assert "used" in await gateway.use(approval.approval_id, late)


async def test_abuse_80_a_genuine_record_that_is_replayed_after_a_revocation_changes_nothing(
    office: Office,
) -> None:
    gateway = await office.gateway()
    call = held(somebody(), hold=ANY_NUMBER)
    approval = await granted(office, gateway, call)
    genuine = (await settled(office, approval))[-1]
    await office.say(approval, call, "revoke")
    await until(lambda: not _holds(gateway, call))
    await office.put(SETTLED, approval.approval_id.encode(), settled_value(genuine))
    after = await granted(office, gateway, held(somebody()))  # read after the replay, or on another partition
    assert after.state == "approved"
    started_later = await office.gateway()
    for each in (gateway, started_later):
        assert await each.use(approval.approval_id, call) == "the approval is revoked"


def _holds(gateway: Approvals, call: HeldCall) -> bool:
    return gateway.find(call) is not None


async def test_abuse_80_records_that_nobody_can_read_stop_nothing(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    for value in (b"", b"nonsense", b"\xc3\x01" + bytes(200)):
        await office.put(SETTLED, approval.approval_id.encode(), value)
    await office.say(approval, call)
    told = await gateway.wait(approval.approval_id, 20)
    assert told is not None
    assert told.state == "approved"


async def test_a_flood_of_forgeries_raises_a_few_findings(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    await seen(gateway, call)
    (pending,) = await settled(office, approval)
    for _ in range(60):
        await passed_off(office, pending, STRANGER)
    await office.say(approval, call)
    assert await gateway.wait(approval.approval_id, 20) is not None
    assert 1 <= len(office.findings) <= 25
