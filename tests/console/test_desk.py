"""The desk on real topics, with the real processor: believed by signature, on the record first, answered."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from console.desk import Desk, DeskError
from console.directory import Person
from console.feed import position_text, positions_of
from schemas.delegations import delegated_value, signed_delegated
from tests.console.conftest import Floor, comes_to, new_desk, person
from tests.processors.approvals.making import ISSUER, SECOND, STRANGER, delegation
from tests.processors.trail import fill, findings_on, read_all, until


async def test_a_decision_is_on_the_record_before_it_is_written_and_after_it_is_answered(
    settled: Floor, desk: Desk
) -> None:
    approval = await settled.ask()
    await comes_to(desk, approval, "pending")
    answer = await desk.decide(approval, "approve", person("ann"), "looked at it", component="slack")
    assert (answer["state"], answer["approvers"]) == ("approved", [f"{ISSUER}|ann"])
    standing = desk.standing(approval)
    assert standing
    assert standing.settled == answer
    told = await settled.acts(approval)
    assert [(row["action"], str(row["outcome"])) for row in told] == [
        ("approval.approve", "asked"),
        ("approval.approve", "done"),
    ]
    assert {(row["actor_issuer"], row["actor_subject"], str(row["actor_kind"])) for row in told} == {
        (ISSUER, "ann", "console")
    }
    assert '"through":"slack"' in told[0]["detail"]


async def test_the_history_says_who_said_what(settled: Floor, desk: Desk) -> None:
    quorum = [{"reviewers": ["owners"], "people": 2}]
    approval = await settled.ask(quorum=quorum)
    await comes_to(desk, approval, "pending")
    await desk.decide(approval, "approve", person("ann"), "fine with me")
    await desk.decide(approval, "deny", person("eve"), "not today")

    async def told() -> bool:
        standing = desk.standing(approval)
        return standing is not None and [turn.who for turn in standing.history] == [
            "",
            f"{ISSUER}|ann",
            f"{ISSUER}|eve",
        ]

    await until(told, 20)
    standing = desk.standing(approval)
    assert standing
    assert [(turn.verb, turn.state, turn.comment) for turn in standing.history] == [
        ("", "pending", ""),
        ("approve", "pending", "fine with me"),
        ("deny", "denied", "not today"),
    ]


async def test_abuse_75_nobody_approves_their_own_call_through_a_chat_or_an_alias(
    settled: Floor, desk: Desk
) -> None:
    approval = await settled.ask()
    await comes_to(desk, approval, "pending")
    by_chat = desk.people.person_of("slack", "t1/bob")
    assert by_chat
    for who in (by_chat, person("bob"), Person("", "bob@laptop", ("owners",))):
        with pytest.raises(DeskError, match="nobody decides what they asked for themselves") as refused:
            await desk.decide(approval, "approve", who)
        assert refused.value.reason == "refused"
        assert not desk.sight(who).waits(desk.standing(approval))  # type: ignore[arg-type]
    standing = desk.standing(approval)
    assert standing
    assert standing.state == "pending"
    assert [str(row["outcome"]) for row in await settled.acts(approval)] == ["asked", "refused"] * 3


async def test_abuse_77_of_two_reviewers_at_once_one_decides(settled: Floor, desk: Desk) -> None:
    approval = await settled.ask()
    await comes_to(desk, approval, "pending")
    words = [desk.decide(approval, "approve", person("ann")), desk.decide(approval, "deny", person("eve"))]
    outcomes = await asyncio.gather(*words, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, DeskError)]
    assert [each.reason for each in refused] == ["refused"]
    assert "already" in str(refused[0])
    standing = desk.standing(approval)
    assert standing
    assert standing.state in ("approved", "denied")
    assert len([turn for turn in standing.history if turn.decision_id and not turn.refusal]) == 1


async def test_a_delegate_decides_instead_and_no_more_once_it_is_taken_back(
    settled: Floor, desk: Desk
) -> None:
    guest = person("guest", "visitors")
    first, second = await settled.ask(), await settled.ask()
    await comes_to(desk, first, "pending")
    await comes_to(desk, second, "pending")
    with pytest.raises(DeskError, match="not one of the reviewers"):
        await desk.decide(first, "approve", guest)
    given = await desk.delegate(person("ann"), guest, time.time_ns() // 1_000 + 3_600 * SECOND, "holiday")
    assert {each.approval_id for each in desk.standings(reviewer=guest)} >= {first, second}
    answer = await desk.decide(first, "approve", guest)
    assert answer["approvers"] == [f"{ISSUER}|guest"]
    other = new_desk(settled)
    other.start()
    try:
        await asyncio.wait_for(other.wait_ready(), 60)
        assert given.delegation_id in [each.delegation_id for each in other.delegations()]
        await other.take_back(given.delegation_id, guest, "no need")
    finally:
        await other.stop()

    async def gone() -> bool:
        return not any(each.delegation_id == given.delegation_id for each in desk.delegations())

    await until(gone, 20)
    with pytest.raises(DeskError, match="not one of the reviewers"):
        await desk.decide(second, "approve", guest)
    assert [row["action"] for row in await settled.acts(given.delegation_id)] == [
        "delegation.give",
        "delegation.give",
        "delegation.end",
        "delegation.end",
    ]


async def test_abuse_75_nobody_delegates_their_way_to_their_own_call(settled: Floor, desk: Desk) -> None:
    approval = await settled.ask()
    await comes_to(desk, approval, "pending")
    until_at = time.time_ns() // 1_000 + 60 * SECOND
    with pytest.raises(DeskError, match="to themselves"):
        await desk.delegate(person("bob"), Person("", "bob@laptop"), until_at)
    taken = await desk.delegate(person("ann"), person("bob"), until_at)
    given = await desk.delegate(person("bob"), person("guest2", "visitors"), until_at)
    for who, instead in ((person("bob"), taken), (person("guest2", "visitors"), given)):
        with pytest.raises(DeskError, match="nobody decides what they asked for themselves"):
            await desk.decide(approval, "approve", who, delegation_id=instead.delegation_id)
    with pytest.raises(DeskError, match="hold no such delegation"):
        await desk.decide(approval, "approve", person("eve"), delegation_id=taken.delegation_id)


async def test_abuse_80_forged_requests_and_delegations_are_not_believed_and_told_of(
    settled: Floor, desk: Desk
) -> None:
    forged = await settled.ask(STRANGER)
    given = delegation("ann", "mallory", from_at=0, until_at=time.time_ns() // 1_000 + 60 * SECOND)
    fields = {
        "delegation_id": str(uuid4()),
        "at": time.time_ns() // 1_000,
        "act": "given",
        "by_issuer": ISSUER,
        "by_subject": "ann",
        "reason": "",
        "delegation": given,
        "component": "console",
    }
    record = signed_delegated(fields, STRANGER)
    row = (0, record["delegation_id"].encode(), delegated_value(record))
    await fill(settled.broker, "approvals.delegated", [row])

    (written,) = [
        each for each in await read_all(settled.broker, "approvals.delegated", 1) if each.key == row[1]
    ]
    place = f"approvals.delegated-0-{written.offset}"

    async def told() -> bool:
        found = await findings_on(settled.broker)
        return [each["title"] for each in found if each["evidence"] == [place]] == [
            "A delegation was refused: it is not signed by whom it should be"
        ]

    await until(told, 60)
    assert desk.standing(forged) is None
    assert not [each for each in desk.delegations() if each.taker == f"{ISSUER}|mallory"]
    with pytest.raises(DeskError, match="there is no approval") as missing:
        await desk.decide(forged, "approve", person("ann"))
    assert missing.value.reason == "not_found"


async def test_abuse_80_what_was_taken_back_does_not_come_back_by_writing_it_again(
    floor: Floor, desk: Desk
) -> None:
    given = await desk.delegate(person("ann"), person("dan"), time.time_ns() // 1_000 + 600 * SECOND)
    await desk.take_back(given.delegation_id, person("ann"))
    rows = [
        row
        for row in await read_all(floor.broker, "approvals.delegated", 1)
        if row.key == given.delegation_id.encode()
    ]
    await fill(floor.broker, "approvals.delegated", [(0, rows[0].key, rows[0].value)])
    later = await desk.delegate(person("ann"), person("fay"), time.time_ns() // 1_000 + 600 * SECOND)
    found = [each.delegation_id for each in desk.delegations()]
    assert later.delegation_id in found
    assert given.delegation_id not in found


async def test_who_follows_hears_of_every_change_and_may_go_on_where_it_was(
    settled: Floor, desk: Desk
) -> None:
    before = positions_of(position_text(desk.positions))
    assert before is not None
    heard: dict[str, list[str]] = {}
    ended = asyncio.Event()

    async def follow() -> None:
        async for standing in desk.subscribe():
            heard.setdefault(standing.approval_id, []).append(standing.state)
        ended.set()

    following = asyncio.create_task(follow())
    approval = await settled.ask()
    await comes_to(desk, approval, "pending")
    await desk.decide(approval, "deny", person("ann"))
    again = desk.feed(before)
    assert approval in again.take()
    desk.leave(again)
    assert approval not in desk.feed(positions_of(position_text(desk.positions))).take()
    await desk.stop()
    await asyncio.wait_for(ended.wait(), 10)
    await following
    assert heard[approval][-1] == "denied"
