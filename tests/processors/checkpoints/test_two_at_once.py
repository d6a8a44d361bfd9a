"""Two owners of one partition, one of them frozen at the worst moment: they never sign two histories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from processors.checkpoints.book import Book
from processors.checkpoints.checkpointer import Checkpointer
from processors.checkpoints.metrics import CheckpointMetrics
from processors.checkpoints.opener import Opener
from processors.checkpoints.opening import Claim
from processors.checkpoints.readback import ReadBack
from processors.checkpoints.signing import Signer
from processors.kafka_view import KafkaView
from processors.outlet import Outlet
from processors.records import Outgoing
from schemas.merkle import root_of
from tests.processors.checkpoints.deployment import NAME, SEED, Deployment, all_leaves, leaves

VALUES = [b"record %d" % number for number in range(100)]


class FreezingOutlet(Outlet):
    """Holds back what goes to a topic: as a process that is frozen after it signed."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment.kafka)
        self._topic = deployment.topics.checkpoints
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.frozen = asyncio.Event()

    async def send(self, records: Iterable[Outgoing]) -> None:
        rows = list(records)
        if not self.thawed.is_set() and any(row.topic == self._topic for row in rows):
            self.frozen.set()
            await self.thawed.wait()
        await super().send(rows)


async def nothing_outside(_partition: int) -> list[Claim]:
    return []


@asynccontextmanager
async def freezable(deployment: Deployment, folder: Path) -> AsyncIterator[FreezingOutlet]:
    """A checkpointer on a machine of its own, in this process."""
    settings = replace(deployment.settings, folder=folder)
    async with AsyncExitStack() as stack:
        view = await stack.enter_async_context(KafkaView(deployment.kafka))
        readback = ReadBack(deployment.kafka, deployment.topics.checkpoints, 2)
        await stack.enter_async_context(readback)
        outlet = FreezingOutlet(deployment)
        await stack.enter_async_context(outlet)
        signer = Signer(NAME, SEED, (), deployment.topics.audit)
        opener = Opener(view, readback, signer, Book(folder), nothing_outside, settings=settings)
        metrics = CheckpointMetrics()
        frozen = Checkpointer(settings, deployment.kafka, signer, opener, outlet, metrics=metrics)
        stop = asyncio.Event()
        task = asyncio.create_task(frozen.run(stop))
        try:
            yield outlet
        finally:
            outlet.thawed.set()
            stop.set()
            await task


async def test_a_note_that_a_frozen_owner_publishes_late_is_of_the_same_history(
    deployment: Deployment, tmp_path: Path
) -> None:
    async with freezable(deployment, tmp_path / "frozen") as outlet:
        for partition in (0, 1):
            await deployment.put(*VALUES[:20], partition=partition)
            await deployment.until_signed(20, partition)
        outlet.thawed.clear()
        for partition in (0, 1):
            await deployment.put(*VALUES[20:30], partition=partition)
        await outlet.frozen.wait()
        async with deployment.running():
            for partition in (0, 1):
                await deployment.put(*VALUES[30:50], partition=partition)
            async with asyncio.timeout(60):
                while 50 not in (await deployment.size(0), await deployment.size(1)):
                    await asyncio.sleep(0.1)
            outlet.thawed.set()
            for partition in (0, 1):
                await deployment.until_signed(50, partition)
    for partition in (0, 1):
        signed = await deployment.signed(partition)
        assert {record["tree_size"] for record in signed} >= {20, 50}
        for record in signed:
            assert record["root_hash"] == root_of(leaves(VALUES[: record["tree_size"]]))
        in_order = sorted(signed, key=lambda record: record["tree_size"])
        assert all_leaves(in_order) == leaves(VALUES[:50])
    assert await deployment.findings() == []
