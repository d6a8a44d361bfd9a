"""Checkpointers on a real broker: what they sign, and how they go on after each other."""

from __future__ import annotations

import asyncio

from schemas.merkle import root_of, verify_consistency
from schemas.notes import open_head, open_note
from tests.processors.checkpoints.deployment import Deployment, all_leaves, leaves

VALUES = [b"record %d" % number for number in range(300)]


async def test_every_record_is_under_a_signed_tree_head_that_extends_the_one_before(
    deployment: Deployment,
) -> None:
    async with deployment.running() as running:
        for first in range(0, 100, 25):
            await deployment.put(*VALUES[first : first + 25])
            await deployment.until_signed(first + 25)
        assert await running.ready() == (200, "ready\n")
        _, page = await running.page("/metrics")
        assert 'sluicegate_checkpoints_tree_size{partition="0"} 100.0' in page
    signed = await deployment.signed()
    assert all_leaves(signed) == leaves(VALUES[:100])
    for record in signed:
        note = open_note(record["note"])
        assert deployment.key().log.signed(note)
        head = open_head(note.text)
        assert (head.origin, head.size, head.root) == (
            deployment.origin(),
            record["tree_size"],
            root_of(leaves(VALUES[: record["tree_size"]])),
        )
        assert head.extension("base") == "0"
    assert (deployment.settings.folder / "log.vkeys").read_text().splitlines()[0] == str(deployment.key().log)
    assert await deployment.findings() == []


async def test_whoever_comes_next_reads_again_what_was_signed_and_goes_on(deployment: Deployment) -> None:
    for until in (30, 90, 91, 250):
        await deployment.put(*VALUES[await deployment.size() : until])
        async with deployment.running():
            await deployment.until_signed(until)
    signed = await deployment.signed()
    assert all_leaves(signed) == leaves(VALUES[:250])
    assert [record["tree_size"] for record in signed] == sorted({record["tree_size"] for record in signed})


async def test_a_restart_without_anything_new_signs_nothing(deployment: Deployment) -> None:
    await deployment.put(*VALUES[:10])
    async with deployment.running():
        await deployment.until_signed(10)
    before = await deployment.signed()
    async with deployment.running() as running:
        async with asyncio.timeout(30):
            while (await running.ready())[0] != 200:
                await asyncio.sleep(0.02)
        await deployment.put(b"other", partition=1)
        await deployment.until_signed(1, 1)
    assert await deployment.signed() == before


async def test_without_what_the_last_owner_left_the_tree_comes_from_the_topic(deployment: Deployment) -> None:
    await deployment.put(*VALUES[:120])
    async with deployment.running():
        await deployment.until_signed(120)
    await deployment.put(*VALUES[120:140])
    await deployment.forget_before(110)
    topics = deployment.topics.__class__(
        deployment.topics.audit, deployment.topics.checkpoints, deployment.topics.findings, "another-group"
    )
    async with deployment.running(topics=topics):
        await deployment.until_signed(140)
    assert all_leaves(await deployment.signed()) == leaves(VALUES[:140])


async def test_partitions_that_move_between_two_workers_are_signed_once_each_in_one_history(
    deployment: Deployment,
) -> None:
    async def flow(first: int, until: int) -> None:
        for number in range(first, until, 10):
            for partition in (0, 1):
                await deployment.put(*VALUES[number : number + 10], partition=partition)

    async with deployment.running():
        await flow(0, 60)
        async with deployment.running():
            await flow(60, 120)
            await deployment.until_signed(120, 0)
            await deployment.until_signed(120, 1)
        await flow(120, 180)
        await deployment.until_signed(180, 0)
        await deployment.until_signed(180, 1)
    for partition in (0, 1):
        signed = await deployment.signed(partition)
        assert all_leaves(signed) == leaves(VALUES[:180])
        for record in signed:
            assert record["root_hash"] == root_of(leaves(VALUES[: record["tree_size"]]))
    assert verify_consistency(0, root_of([]), 180, root_of(leaves(VALUES[:180])), [])
    assert await deployment.findings() == []
