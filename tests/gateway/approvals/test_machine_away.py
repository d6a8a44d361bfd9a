"""The machine is killed and comes back: what is in doubt does not run, and nothing runs twice."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.gateway.approvals.people import Office, asked, granted, held, somebody, until
from tests.processors.fleet import Fleet
from tests.processors.test_worker_flow import ready


async def back(machine: Fleet) -> None:
    """Start the machine again."""
    async with asyncio.timeout(60):
        while machine.ending() or not machine.alive():
            machine.add()
            await asyncio.sleep(0.1)
    await ready(machine)


async def test_abuse_78_who_gets_no_answer_does_not_run_and_the_answer_that_comes_late_lets_nothing_run(
    office: Office, machine: Fleet
) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await granted(office, gateway, call)
    machine.kill()
    assert "no answer" in await gateway.use(approval.approval_id, call)
    await back(machine)
    await until(lambda: _state(gateway.look(call.principal, approval.approval_id)) == "used")
    late = held(call.principal, call.digest)
    assert gateway.find(late) is None
    assert await gateway.use(approval.approval_id, late) == "the approval is used"


def _state(approval: object) -> str:
    return str(getattr(approval, "state", ""))


async def test_what_is_asked_and_decided_while_the_machine_is_away_is_settled_when_it_is_back(
    office: Office, machine: Fleet
) -> None:
    gateway = await office.gateway()
    machine.kill()
    call = held(somebody())
    approval = await asked(gateway, call)
    assert await gateway.wait(approval.approval_id, 0.1) is None
    repeated = gateway.find(held(call.principal, call.digest))
    assert repeated is not None
    assert repeated.approval_id == approval.approval_id
    waiting = asyncio.create_task(gateway.wait(approval.approval_id, 60))
    await office.say(approval, call)
    await back(machine)
    told = await waiting
    assert told is not None
    assert told.state == "approved"
    assert await gateway.use(approval.approval_id, call) == ""


async def test_abuse_74_a_machine_that_is_killed_among_many_uses_lets_none_run_twice(
    office: Office, machine: Fleet
) -> None:
    replicas = [await office.gateway(), await office.gateway()]
    calls = [held(somebody()) for _ in range(30)]
    approvals = [await granted(office, replicas[0], call) for call in calls]
    await until(lambda: replicas[1].look(calls[-1].principal, approvals[-1].approval_id))
    ran: Counter[str] = Counter()

    async def uses(number: int, replica: int) -> None:
        own = held(calls[number].principal, calls[number].digest)
        approval_id = approvals[number].approval_id
        for _ in range(4):
            reason = await replicas[replica].use(approval_id, own)
            ran[approval_id] += not reason
            if "no answer" not in reason:
                return
            own = held(own.principal, own.digest)

    working = [asyncio.create_task(uses(number, side)) for number in range(30) for side in (0, 1)]
    await until(lambda: sum(ran.values()) >= 3)
    machine.kill()
    await back(machine)
    await asyncio.gather(*working)
    assert max(ran.values()) == 1
    for replica in replicas:
        await until(
            lambda: all(
                _state(replica.look(call.principal, approval.approval_id)) == "used"  # noqa: B023
                for call, approval in zip(calls, approvals, strict=True)
            )
        )
