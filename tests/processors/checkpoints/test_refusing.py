"""What was done to the trail behind the checkpointer's back is not signed over (ABUSE 83), and said."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from processors.checkpoints.settings import FileAnchor
from tests.processors.checkpoints.deployment import Deployment, Running, all_leaves, leaves, until

VALUES = [b"record %d" % number for number in range(100)]


async def signed_once(deployment: Deployment, count: int = 60, **changes: object) -> None:
    await deployment.put(*VALUES[:count])
    async with deployment.running(**changes):
        await deployment.until_signed(count)


async def refused(deployment: Deployment, running: Running, why: str) -> None:
    """It says so on /readyz, as a metric and as a critical finding, and signs nothing more."""
    size = await deployment.size()
    await deployment.until_refused(running, why)
    assert (await running.ready())[0] == 503
    assert 'sluicegate_checkpoints_refused{partition="0"} 1.0' in (await running.page("/metrics"))[1]
    async with asyncio.timeout(20):
        while not (found := await deployment.findings()):
            await asyncio.sleep(0.05)
    assert {(finding["rule"], finding["severity"]) for finding in found} == {
        ("checkpoint-refused", "critical")
    }
    assert found[0]["attributes"]["feature"] == why
    await deployment.put(b"more", partition=1)
    await deployment.until_signed(1, 1)  # the other partition goes on
    assert await deployment.size() == size


async def test_fewer_records_than_were_signed_are_refused(deployment: Deployment) -> None:
    await signed_once(deployment)
    await deployment.make_anew(deployment.topics.audit)
    await deployment.put(*VALUES[:59])
    async with deployment.running() as running:
        await refused(deployment, running, "smaller-end")


async def test_another_record_than_was_signed_is_refused(deployment: Deployment) -> None:
    await signed_once(deployment)
    await deployment.make_anew(deployment.topics.audit)
    await deployment.put(*VALUES[:55], b"forged", *VALUES[56:70])
    async with deployment.running() as running:
        await refused(deployment, running, "changed")


async def test_records_that_were_gone_before_they_were_signed_are_refused(deployment: Deployment) -> None:
    await signed_once(deployment)
    await deployment.put(*VALUES[60:80])
    await deployment.forget_before(61)
    async with deployment.running() as running:
        await refused(deployment, running, "hole")


async def test_abuse_83_a_topic_of_checkpoints_that_was_rolled_back_is_refused_by_what_this_machine_knows(
    deployment: Deployment,
) -> None:
    await signed_once(deployment)
    await deployment.make_anew(deployment.topics.checkpoints)
    async with deployment.running() as running:
        await refused(deployment, running, "rolled-back")


async def test_abuse_83_a_topic_that_was_rolled_back_while_it_runs_is_found_by_looking_again(
    deployment: Deployment,
) -> None:
    await deployment.put(*VALUES[:60])
    async with deployment.running(recheck_seconds=0.5) as running:
        await deployment.until_signed(60)
        await deployment.make_anew(deployment.topics.checkpoints)
        await deployment.until_refused(running, "rolled-back")


async def test_abuse_83_a_machine_that_forgot_everything_is_told_by_an_anchor(
    deployment: Deployment, tmp_path: Path
) -> None:
    worm = tmp_path / "worm.jsonl"
    anchors = (FileAnchor(worm, 0.05),)
    await deployment.put(*VALUES[:60])
    async with deployment.running(anchors=anchors):
        await deployment.until_signed(60)
        await until(lambda: worm.exists() and "\\n60\\n" in worm.read_text())
    await deployment.make_anew(deployment.topics.checkpoints)
    for page in deployment.settings.folder.glob("*.json"):
        page.unlink()
    topics = replace(deployment.topics, group=f"{deployment.topics.group}-new")
    async with deployment.running(anchors=anchors, topics=topics) as running:
        await refused(deployment, running, "rolled-back")
        assert str(worm) in (await running.ready())[1]


async def test_a_checkpoint_of_another_key_is_refused(deployment: Deployment) -> None:
    await signed_once(deployment)
    async with deployment.running(seed=bytes([9]) * 32) as running:
        await refused(deployment, running, "foreign-key")


async def test_a_key_that_was_changed_goes_on_where_the_former_one_is_named(deployment: Deployment) -> None:
    await signed_once(deployment)
    await deployment.put(*VALUES[60:70])
    former = tuple(str(deployment.key(number).log) for number in (0, 1))
    async with deployment.running(seed=bytes([9]) * 32, former_keys=former) as running:
        await deployment.until_signed(70)
        assert (await running.ready())[0] == 200
    assert all_leaves(await deployment.signed()) == leaves(VALUES[:70])


async def test_a_new_name_begins_a_new_log_and_says_that_there_was_another(deployment: Deployment) -> None:
    await signed_once(deployment)
    await deployment.forget_before(50)
    async with deployment.running(origin="other.example.com"):
        async with asyncio.timeout(30):
            while not (found := await deployment.findings()):
                await asyncio.sleep(0.05)
        assert [finding["rule"] for finding in found] == ["checkpoint-log-begun"]
        assert f"before: {deployment.origin()}" in found[0]["evidence"]
        assert "offset 50" in found[0]["title"]
    assert await deployment.size() == 60


async def test_a_refused_log_goes_on_when_what_was_missing_is_back(deployment: Deployment) -> None:
    await signed_once(deployment)
    await deployment.make_anew(deployment.topics.audit)
    await deployment.put(*VALUES[:40])
    async with deployment.running(recheck_seconds=0.3) as running:
        await deployment.until_refused(running, "smaller-end")
        await deployment.put(*VALUES[40:75])
        await deployment.until_signed(75)
        assert (await running.ready())[0] == 200
    assert all_leaves(await deployment.signed()) == leaves(VALUES[:75])


async def test_a_file_of_this_machine_that_cannot_be_read_signs_nothing(deployment: Deployment) -> None:
    await signed_once(deployment)
    (page,) = deployment.settings.folder.glob("*audit_0-*.json")
    page.write_text("{")
    async with deployment.running() as running:
        await refused(deployment, running, "unreadable")
        assert "restore it from a backup" in (await running.ready())[1]
