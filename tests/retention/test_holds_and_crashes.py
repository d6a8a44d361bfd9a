"""What a hold keeps, what a crash leaves behind, and what somebody forged."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from schemas.retention_content import Hold, hold_content
from schemas.retention_rules import DAY_US, Rules, Terms
from sinks.clickhouse import StoreAwayError
from sinks.retention.store import Frames
from tests.retention.acts import ANN, STORE, STRANGER, act, confirming, said
from tests.retention.conftest import EVER, YEAR, Deployment, created, tombstone

pytestmark = pytest.mark.asyncio(loop_scope="package")
SESSION = "0198f0f2-7c1e-7cc1-9c1e-0242ac120004"


async def test_a_hold_keeps_rows_and_bodies_until_two_people_release_it(deployment: Deployment) -> None:
    deployment.frame(days=500, connection="held")
    deployment.frame(days=500, connection="other", body=b"")
    hold = said("hold", hold_content(Hold(connection="held")), at=deployment.now - 20 * DAY_US)
    await deployment.say(*hold)
    release = act("proposed", "release", {"hold_id": hold[0]["proposal_id"]}, at=deployment.now)
    await deployment.say(release)

    await deployment.round(YEAR)
    assert (deployment.offsets(), deployment.rows("body")) == ([0], ['{"a":1}'])

    await deployment.say(confirming(release))
    await deployment.round(YEAR)
    assert deployment.offsets() == []


async def test_a_hold_keeps_from_the_moment_it_is_proposed_and_lapses_when_nobody_confirms_it(
    deployment: Deployment,
) -> None:
    deployment.frame(days=500, body=b"")
    await deployment.say(act("proposed", "hold", hold_content(Hold(session_id=SESSION)), at=deployment.now))
    await deployment.say(act("proposed", "hold", hold_content(Hold()), at=deployment.now))

    await deployment.round(YEAR)
    assert deployment.offsets() == [0]

    deployment.now += 8 * DAY_US
    await deployment.round(YEAR)
    assert deployment.offsets() == []


async def test_a_hold_of_a_session_keeps_the_request_that_began_it(deployment: Deployment) -> None:
    exchange = "0198f0f2-7c1e-7cc1-9c1e-0242ac120005"
    deployment.frame(days=500, body=b"", exchange_id=exchange)
    deployment.frame(days=500, body=b"", exchange_id=exchange, session_id=SESSION)
    deployment.frame(days=500, body=b"")
    await deployment.say(*said("hold", hold_content(Hold(session_id=SESSION)), at=deployment.now))

    await deployment.round(YEAR)

    assert deployment.offsets() == [0, 1]


async def test_a_crash_before_the_tombstones_are_stored_leaves_every_row(deployment: Deployment) -> None:
    deployment.frame(days=500, body=b"")
    unread = f"{deployment.database}-unread"
    await created(deployment.kafka.bootstrap, {unread})
    deaf = replace(deployment, topics=replace(deployment.topics, tombstones=unread))

    report = await deaf.round(YEAR, stored_seconds=0.2)
    assert (report.rows, report.waiting, deployment.offsets()) == (0, 1, [0])

    assert (await deployment.round(YEAR)).rows == 1
    assert deployment.offsets() == []


async def test_a_crash_after_the_tombstones_are_stored_is_finished_by_the_next_round(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.frame(days=500, body=b"")
    deployment.frame(days=60)

    def crash(*_: Any) -> None:
        raise StoreAwayError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(Frames, "update", crash)
        with pytest.raises(StoreAwayError):
            await deployment.round(YEAR)
    assert deployment.offsets() == [0, 1]
    assert deployment.tombstones() == [("row", "expired", 0, 0, 0)]

    report = await deployment.round(YEAR)

    assert (report.rows, report.bodies, deployment.offsets()) == (1, 1, [1])
    assert deployment.tombstones() == [("row", "expired", 0, 0, 0), ("body", "expired", 0, 1, 1)]


async def test_a_crash_before_a_change_is_noted_repeats_nothing_that_can_be_seen(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.frame(days=500, body=b"")

    def crash(*_: Any) -> None:
        raise StoreAwayError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(Frames, "applied", crash)
        with pytest.raises(StoreAwayError):
            await deployment.round(YEAR)
    assert deployment.offsets() == []

    await deployment.round(YEAR)

    assert deployment.tombstones() == [("row", "expired", 0, 0, 0)]


async def test_a_hold_that_comes_after_the_tombstone_keeps_the_row_and_is_told(
    deployment: Deployment,
) -> None:
    deployment.frame(days=500, body=b"")
    deployment.frame(days=500, body=b"", connection="other")
    await deployment.write(tombstone(STORE, 0, 1))
    await until_stored(deployment, 1)
    await deployment.say(*said("hold", hold_content(Hold(connection="other")), at=deployment.now))

    report = await deployment.round(EVER)

    assert (report.kept_by_hold, deployment.offsets()) == (1, [1])


async def test_a_tombstone_that_the_store_did_not_sign_takes_nothing_away(deployment: Deployment) -> None:
    deployment.frame(days=500)
    await deployment.write(tombstone(STRANGER, 0, 0))
    await until_stored(deployment, 1)

    report = await deployment.round(EVER)

    assert (report.not_believed, report.rows, deployment.offsets()) == (1, 0, [0])


async def test_a_row_that_is_not_due_is_named_by_no_run_even_between_rows_that_are(
    deployment: Deployment,
) -> None:
    deployment.frame(days=500, body=b"")
    deployment.frame(days=500, body=b"", connection="kept")
    deployment.frame(days=500, body=b"")
    deployment.client.command(f"DELETE FROM {deployment.database}.frames_stored WHERE k_offset = 9")

    await deployment.round(Rules(Terms(400), {"kept": Terms()}))

    assert deployment.tombstones() == [("row", "expired", 0, 0, 0), ("row", "expired", 0, 2, 2)]
    assert deployment.offsets() == [1]


async def test_shortening_in_the_file_alone_has_no_effect_until_two_people_confirmed_it(
    deployment: Deployment,
) -> None:
    deployment.frame(days=500, body=b"")
    await deployment.round(EVER)

    report = await deployment.round(YEAR)
    assert (deployment.offsets(), len(report.shortened_in_file)) == ([0], 2)

    proposal = act("proposed", "rules", {"base": EVER.version, "rules": YEAR.plain()}, at=deployment.now)
    await deployment.say(proposal, confirming(proposal, ANN))
    await deployment.round(YEAR)
    assert deployment.offsets() == [0]

    await deployment.say(confirming(proposal))
    await deployment.round(YEAR)
    assert deployment.offsets() == []
    assert deployment.tombstones("cause, asked_by") == [
        (proposal["proposal_id"], ["https://idp|ann", "https://idp|bob"])
    ]


async def test_an_old_copy_of_the_file_does_not_undo_what_was_confirmed(deployment: Deployment) -> None:
    await deployment.round(EVER)
    await deployment.say(*said("rules", {"base": EVER.version, "rules": YEAR.plain()}, at=deployment.now))
    await deployment.round(EVER)

    book = await deployment.forgetter(EVER).book()

    assert book.in_force is not None
    assert book.in_force.rules == YEAR


async def test_a_file_that_keeps_longer_is_taken_over_and_the_record_says_so(deployment: Deployment) -> None:
    await deployment.round(YEAR)
    longer = Rules(Terms(500, 30), {"short": Terms(30)}, 7)

    await deployment.round(longer)

    book = await deployment.forgetter(longer).book()
    assert book.in_force is not None
    assert book.in_force.rules.same_as(longer)


async def until_stored(deployment: Deployment, count: int) -> None:
    """Returns when so many tombstones are stored."""
    async with asyncio.timeout(30):
        while len(deployment.tombstones()) < count:
            await asyncio.sleep(0.05)
