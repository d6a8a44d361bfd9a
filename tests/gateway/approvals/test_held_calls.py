"""Held calls on replicas' views, a real broker and the real machine: asked, decided, run once or never."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from gateway.edge.approvals import Approvals
from gateway.held import HeldCall
from gateway.settings import Holding
from schemas.kafka import KafkaAddress
from tests.gateway.approvals.people import (
    GLASS,
    HOLD,
    Office,
    asked,
    granted,
    held,
    seen,
    somebody,
    until,
)

ANN = "https://id.example.com|ann"


def again(call: HeldCall) -> HeldCall:
    """The same call in another exchange."""
    return held(call.principal, call.digest, call.hold)


async def test_an_approved_call_runs_once(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    assert gateway.find(call) is None
    approval = await granted(office, gateway, call)
    assert (approval.kind, approval.uses_left, approval.approvers) == ("call", 1, (ANN,))
    assert await gateway.use(approval.approval_id, call) == ""
    assert "used" in await gateway.use(approval.approval_id, call)
    assert gateway.find(again(call)) is None


async def test_a_denied_call_is_told_why_and_never_runs(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    await office.say(approval, call, "deny", comment="not on a Friday")
    told = await gateway.wait(approval.approval_id, 20)
    assert told is not None
    assert (told.state, told.comment, told.ended) == ("denied", "not on a Friday", True)
    assert "denied" in await gateway.use(approval.approval_id, call)


async def test_who_waits_in_vain_is_told_so_and_the_approval_stays(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    assert await gateway.wait(approval.approval_id, 0.3) is None
    found = gateway.find(again(call))
    assert found is not None
    assert (found.approval_id, found.state) == (approval.approval_id, "pending")


async def test_a_second_identical_call_asks_for_itself_while_the_first_waits(office: Office) -> None:
    gateway = await office.gateway()
    first = held(somebody())
    approval = await asked(gateway, first)
    waiting = asyncio.create_task(gateway.wait(approval.approval_id, 20))
    await asyncio.sleep(0)
    assert gateway.find(again(first)) is None
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await until(lambda: gateway.find(again(first)))


async def test_the_repeated_call_finds_its_approval_on_another_replica_and_after_a_restart(
    office: Office,
) -> None:
    first, second = await office.gateway(), await office.gateway()
    call = held(somebody())
    approval = await asked(first, call)
    await until(lambda: second.find(again(call)))
    await office.say(approval, call)
    assert await first.wait(approval.approval_id, 20)
    await first.stop()
    started_later = await office.gateway()
    repeated = again(call)
    found = started_later.find(repeated)
    assert found is not None
    assert (found.approval_id, found.state) == (approval.approval_id, "approved")
    assert await started_later.use(found.approval_id, repeated) == ""


async def test_another_call_another_caller_and_another_rule_find_nothing(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await granted(office, gateway, call)
    others = (
        held(call.principal, "5e" * 32),
        held(somebody()),
        held(call.principal, connection="staging"),
        held(call.principal, policy_version="8b" * 32),
        held(call.principal, rule="deletes at night"),
    )
    gateway._claims.release(approval.approval_id)
    for other in others:
        assert gateway.find(other) is None
        assert "another call" in await gateway.use(approval.approval_id, other)
    assert gateway.find(again(call)) is not None


async def test_abuse_74_the_same_approval_used_twice_runs_once_on_two_replicas_at_once(
    office: Office,
) -> None:
    replicas = [await office.gateway(), await office.gateway()]
    for _ in range(15):
        call = held(somebody())
        approval = await granted(office, replicas[0], call)
        await _knows(replicas[1], call, approval.approval_id)
        users = [(replica, again(call)) for replica in replicas for _ in range(2)]
        said = await asyncio.gather(*(each.use(approval.approval_id, own) for each, own in users))
        assert sorted(reason == "" for reason in said) == [False, False, False, True], said


async def _knows(replica: Approvals, call: HeldCall, approval_id: str, state: str = "approved") -> None:
    def fact() -> bool:
        approval = replica.look(call.principal, approval_id)
        return approval is not None and approval.state == state

    await until(fact)


async def test_abuse_76_an_approval_that_was_revoked_lets_nothing_run(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await granted(office, gateway, call)
    await office.say(approval, call, "revoke")
    await _knows(gateway, call, approval.approval_id, "revoked")
    assert gateway.find(again(call)) is None
    assert await gateway.use(approval.approval_id, call) == "the approval is revoked"


async def test_abuse_76_a_revocation_that_the_replica_has_not_read_counts_as_well(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await granted(office, gateway, call)
    await office.say(approval, call, "revoke")
    reason = await gateway.use(approval.approval_id, call)  # before the answer to the revocation is here
    assert reason == "the approval does not let it run: it is revoked"


async def test_abuse_76_an_expired_approval_lets_nothing_run_even_where_the_clock_is_behind(
    office: Office,
) -> None:
    gateway, behind = await office.gateway(), await office.gateway(clock=lambda: time.time() - 100)
    call = held(somebody(), hold=replace(HOLD, expires_seconds=5))
    approval = await granted(office, gateway, call)
    await _knows(behind, call, approval.approval_id)
    await _knows(gateway, call, approval.approval_id, "expired")
    assert await gateway.use(approval.approval_id, call) == "the approval is expired"
    assert "expired" in await behind.use(approval.approval_id, call)


async def test_who_waits_is_told_when_nobody_decided_in_time(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody(), hold=replace(HOLD, expires_seconds=1))
    approval = await asked(gateway, call)
    told = await gateway.wait(approval.approval_id, 20)
    assert told is not None
    assert told.state == "expired"


async def test_abuse_78_a_gateway_that_is_lost_while_people_are_asked_loses_nothing(office: Office) -> None:
    lost = await office.gateway()
    call = held(somebody())
    approval = await asked(lost, call)
    await lost.stop()
    await office.say(approval, call)
    later, repeated = await office.gateway(), again(call)
    await _knows(later, call, approval.approval_id)
    assert later.find(repeated) is not None
    assert await later.use(approval.approval_id, repeated) == ""
    assert await later.use(approval.approval_id, again(call)) != ""


async def test_abuse_79_a_client_that_has_gone_takes_its_request_back(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    await gateway.withdraw(approval.approval_id, again(call), "somebody else's exchange")
    await gateway.withdraw(approval.approval_id, call, "the client has gone")
    told = await gateway.wait(approval.approval_id, 20)
    assert told is not None
    assert (told.state, told.comment) == ("revoked", "the client has gone")
    await office.say(approval, call)
    assert await gateway.use(approval.approval_id, call) == "the approval is revoked"


async def test_a_request_that_others_wait_for_is_not_taken_back(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    joined = asyncio.create_task(gateway.wait(approval.approval_id, 20))
    await asyncio.sleep(0)
    await gateway.withdraw(approval.approval_id, call, "the client has gone")
    await office.say(approval, call)
    told = await joined
    assert told is not None
    assert told.state == "approved"


async def test_breaking_the_glass_runs_at_once_and_once_for_its_group_alone(office: Office) -> None:
    gateway = await office.gateway()
    member = held(somebody(groups=("oncall",)), hold=GLASS, break_glass=True, asked_for="the site is down")
    approval = await asked(gateway, member)
    told = await gateway.wait(approval.approval_id, 20)
    assert told is not None
    assert (told.kind, told.state) == ("break_glass", "approved")
    assert told.attributes["review_due_at"] > time.time() * 1_000_000
    assert await gateway.use(approval.approval_id, member) == ""
    assert "used" in await gateway.use(approval.approval_id, member)
    for other in (
        held(somebody(), hold=GLASS, break_glass=True, asked_for="the site is down"),
        held(somebody(groups=("oncall",)), hold=GLASS, break_glass=True),
    ):
        refused = await gateway.wait((await asked(gateway, other)).approval_id, 20)
        assert refused is not None
        assert refused.state == "denied"
        assert "glass" in refused.refusal


async def test_who_breaks_the_glass_does_not_wait_for_what_is_pending(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody(groups=("oncall",)), hold=GLASS)
    approval = await asked(gateway, call)
    assert await gateway.wait(approval.approval_id, 0.2) is None
    assert gateway.find(replace(again(call), break_glass=True)) is None
    assert gateway.find(again(call)) is not None


async def test_a_request_in_doubt_is_taken_back_when_it_was_written(office: Office) -> None:
    hasty = await office.gateway(deadline_seconds=1e-6)
    watching = await office.gateway()
    call = held(somebody())
    assert await hasty.ask(call) is None
    await until(lambda: watching.own(call.principal))
    (approval,) = watching.own(call.principal)
    await _knows(watching, call, approval.approval_id, "revoked")
    assert hasty.find(again(call)) is None


async def test_nobody_has_more_than_so_many_pending(office: Office) -> None:
    gateway = await office.gateway()
    who = somebody()
    digests = [f"{number:064x}" for number in range(110)]
    found = await asyncio.gather(*(gateway.ask(held(who, digest)) for digest in digests))
    assert sum(approval is not None for approval in found) == 100
    assert "pending" in gateway.room(who)
    assert await gateway.ask(held(somebody())) is not None


async def test_without_keys_nothing_is_asked_and_nothing_runs(office: Office) -> None:
    closed = Approvals(office.kafka, Holding())
    closed.start()
    call = held(somebody())
    assert (closed.ready, closed.fault, closed.find(call), await closed.ask(call)) == (True, "", None, None)
    assert "not set up" in await closed.use("0190a8c0-0000-7000-8000-000000000001", call)
    assert not closed.may_access(call.principal, "prod")
    await closed.stop()


async def test_how_it_stands_is_asked_without_waiting(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    assert await gateway.wait(approval.approval_id, 0) is None
    await office.say(approval, call)
    await _knows(gateway, call, approval.approval_id)
    told = await gateway.wait(approval.approval_id, 0)
    assert told is not None
    assert told.state == "approved"
    assert await gateway.wait("0190a8c0-0000-7000-8000-000000000001", 0) is None


async def test_who_lets_go_leaves_it_to_the_same_call(office: Office) -> None:
    gateway = await office.gateway()
    call = held(somebody())
    approval = await asked(gateway, call)
    assert gateway.find(again(call)) is None
    gateway.let_go(approval.approval_id)
    assert gateway.find(again(call)) is not None


def test_keys_that_are_none_are_refused_at_once(kafka: KafkaAddress) -> None:
    for holding in (Holding(b"short", bytes(32)), Holding(bytes(32), b"short")):
        with pytest.raises(ValueError, match=r"."):
            Approvals(kafka, holding)


async def test_a_release_takes_milliseconds(office: Office) -> None:
    """From the decision on its topic to a call that may run, on this machine."""
    gateway = await office.gateway()
    took = [await _release(office, gateway) for _ in range(40)]
    for name, spans in zip(("decided", "let run", "both"), zip(*took, strict=True), strict=True):
        ordered = sorted(spans)
        print(f"{name}: median {ordered[20] * 1e3:.0f} ms, worst {ordered[-1] * 1e3:.0f} ms")
    assert sorted(both for _, _, both in took)[20] < 0.5


async def _release(office: Office, gateway: Approvals) -> tuple[float, float, float]:
    call = held(somebody())
    approval = await asked(gateway, call)
    await seen(gateway, call)
    waiting = asyncio.create_task(gateway.wait(approval.approval_id, 20))
    started = time.monotonic()
    await office.say(approval, call)
    await waiting
    decided = time.monotonic()
    assert await gateway.use(approval.approval_id, call) == ""
    ended = time.monotonic()
    return decided - started, ended - decided, ended - started
