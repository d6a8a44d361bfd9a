"""Standing grants and access grants on real replicas: within their bound, for so long or so often, and revocable."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from uuid import uuid4

from gateway.edge.announce import stamp
from gateway.edge.approvals import Approvals
from gateway.edge.approvals.drafts import AccessWish
from gateway.held import Approval, HeldCall
from gateway.policy.verdict import Grant
from gateway.sessions import Principal
from gateway.settings import AccessRequests
from tests.gateway.approvals.people import (
    ANY_NUMBER,
    GRANT,
    HOLD,
    Office,
    asked,
    granted,
    held,
    somebody,
    until,
)

LENDING = AccessRequests(quorum=((("owners",), 1),), seconds_max=3_600, expires_seconds=60)


def like(call: HeldCall, name: str = "web", **over: object) -> HeldCall:
    """Such a call again, with other arguments, in an exchange of its own."""
    return held(call.principal, uuid4().hex * 2, call.hold, name, **over)


async def test_a_grant_lets_such_calls_run_so_many_times(office: Office) -> None:
    gateway, other = await office.gateway(), await office.gateway()
    call = held(somebody(), hold=GRANT)
    approval = await granted(office, gateway, call)
    assert (approval.kind, approval.uses_left) == ("standing", 2)
    assert await gateway.use(approval.approval_id, call) == ""
    await until(lambda: _left(other, call, approval) == 1)
    second = like(call)
    found = other.find(second)
    assert found is not None
    assert await other.use(found.approval_id, second) == ""
    await until(lambda: _left(gateway, call, approval) == 0)
    assert gateway.find(like(call)) is None
    assert "used" in await gateway.use(approval.approval_id, like(call))


def _left(gateway: Approvals, call: HeldCall, approval: Approval) -> int | None:
    found = gateway.look(call.principal, approval.approval_id)
    return None if found is None else found.uses_left


async def test_abuse_74_a_grants_last_use_goes_to_one_of_many_at_once(office: Office) -> None:
    replicas = [await office.gateway(), await office.gateway()]
    call = held(somebody(), hold=GRANT)
    approval = await granted(office, replicas[0], call)
    await until(lambda: _left(replicas[1], call, approval) == 2)
    said = await asyncio.gather(
        *(each.use(approval.approval_id, like(call)) for each in replicas for _ in range(4))
    )
    assert said.count("") == 2, said


async def test_a_call_outside_the_bound_is_not_let_run_by_the_grant(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody(), hold=GRANT)
    approval = await granted(office, gateway, call)
    others = (
        like(call, "database"),
        like(call, tool="delete_namespace"),
        like(call, method="tools/list"),
        like(call, rule="deletes at night"),
        like(call, policy_version="8b" * 32),
        like(call, connection="staging"),
        held(somebody(), hold=GRANT),
    )
    for other in others:
        assert gateway.find(other) is None
        assert "another call" in await gateway.use(approval.approval_id, other)
    assert gateway.find(like(call)) is not None


async def test_a_call_that_its_own_grant_would_not_cover_asks_for_itself_alone(office: Office) -> None:
    gateway = await office.gateway()
    approval = await asked(gateway, held(somebody(), hold=GRANT, name="database"))
    assert approval.kind == "call"


async def test_a_bound_that_is_no_condition_holds_for_nothing(office: Office) -> None:
    gateway = await office.gateway()
    hold = replace(HOLD, grant=Grant(60, 0, "tool.arguments.name =="))
    assert (await asked(gateway, held(somebody(), hold=hold))).kind == "call"


async def test_such_calls_share_one_pending_request_for_a_grant(office: Office) -> None:
    gateway = await office.gateway()
    first = held(somebody(), hold=GRANT)
    approval = await asked(gateway, first)
    second = like(first)
    await until(lambda: gateway.find(second))
    waiting = [asyncio.create_task(gateway.wait(approval.approval_id, 20)) for _ in range(2)]
    await office.say(approval, first)
    assert {one.state for one in await asyncio.gather(*waiting) if one} == {"approved"}
    assert [await gateway.use(approval.approval_id, call) for call in (first, second)] == ["", ""]


async def test_a_grant_that_time_alone_ends_is_used_without_asking_until_it_is_revoked(
    office: Office,
) -> None:
    gateway = await office.gateway()
    call = held(somebody(), hold=ANY_NUMBER)
    approval = await granted(office, gateway, call)
    started = time.monotonic()
    for _ in range(200):
        assert await gateway.use(approval.approval_id, like(call)) == ""
    assert time.monotonic() - started < 1.0
    await office.say(approval, call, "revoke")
    await until(lambda: gateway.find(like(call)) is None)
    assert await gateway.use(approval.approval_id, call) == "the approval is revoked"


async def test_a_grant_ends_by_the_replicas_own_clock_whatever_was_settled(office: Office) -> None:
    gateway, ahead = await office.gateway(), await office.gateway(clock=lambda: time.time() + 100)
    call = held(somebody(), hold=ANY_NUMBER)
    approval = await granted(office, gateway, call)
    await until(lambda: ahead.look(call.principal, approval.approval_id))
    assert ahead.find(like(call)) is None
    assert await ahead.use(approval.approval_id, call) == "the approval is expired"
    assert await gateway.use(approval.approval_id, call) == ""


# -- access


async def lent(office: Office, gateway: Approvals, who: Principal, seconds: int = 60) -> Approval:
    """Access to `prod` that somebody was lent."""
    wish = AccessWish("prod", "the pager rang", seconds, LENDING, stamp())
    approval = await gateway.ask_access(who, wish)
    assert approval is not None
    await office.say(approval, held(who, "", policy_version=""))
    found = await gateway.wait(approval.approval_id, 20)
    assert found is not None
    assert (found.state, found.kind) == ("approved", "access")
    return found


async def test_access_is_lent_on_every_replica_and_ends_when_it_is_revoked(office: Office) -> None:
    gateway, other = await office.gateway(), await office.gateway()
    who, changes = somebody(), list[float]()
    other.subscribe(lambda: changes.append(time.monotonic()))
    assert not other.may_access(who, "prod")
    approval = await lent(office, gateway, who)
    await until(lambda: other.may_access(who, "prod"))
    assert not other.may_access(who, "staging")
    assert not other.may_access(somebody(), "prod")
    told = len(changes)
    await office.say(approval, held(who, "", policy_version=""), "revoke")
    await until(lambda: not other.may_access(who, "prod"))
    assert len(changes) > told


async def test_access_ends_by_itself_and_whoever_listens_is_told(office: Office) -> None:
    gateway = await office.gateway()
    who = somebody()
    approval = await lent(office, gateway, who, seconds=6)
    over = asyncio.Event()
    gateway.subscribe(lambda: None if gateway.may_access(who, "prod") else over.set())
    assert gateway.may_access(who, "prod")
    async with asyncio.timeout(30):
        await over.wait()
    assert time.time() * 1_000_000 >= approval.ends_at


async def test_access_lets_no_held_call_run(office: Office) -> None:
    gateway = await office.gateway()
    who = somebody()
    approval = await lent(office, gateway, who)
    call = held(who, "")
    assert gateway.find(call) is None
    assert "another call" in await gateway.use(approval.approval_id, call)


async def test_nobody_has_many_requests_for_access_pending(office: Office) -> None:
    gateway = await office.gateway()
    who = somebody()
    wishes = [AccessWish(f"prod-{n}", "the pager rang", 60, LENDING, stamp()) for n in range(8)]
    asked_for = await asyncio.gather(*(gateway.ask_access(who, wish) for wish in wishes))
    assert sum(approval is not None for approval in asked_for) == 5
    assert "access" in gateway.room(who, access=True)
    assert gateway.room(who) == ""
