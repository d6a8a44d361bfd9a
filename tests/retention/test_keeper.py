"""Rounds in the store process: in the one that stores the tombstones, and by a clock that is right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from sinks.retention.keeper import Keeper
from sinks.retention.metrics import RetentionMetrics
from tests.retention.conftest import YEAR, Deployment

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not fact():
            await asyncio.sleep(0.02)


def counted(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"sluicegate_retention_{name}", labels) or 0.0


async def test_the_process_that_stores_tombstones_forgets_and_counts_what_went(
    deployment: Deployment,
) -> None:
    deployment.frame(days=500, body=b"")
    registry, asked = CollectorRegistry(), []

    def ours() -> bool:
        asked.append(deployment.offsets())
        return len(asked) > 1

    keeper = Keeper(deployment.forgetter(YEAR), RetentionMetrics(registry), ours, 60.0)
    running = asyncio.create_task(keeper.run())

    await until(lambda: counted(registry, "rows_total", what="row") == 1)

    keeper.stop()
    await running
    assert (asked[:2], deployment.offsets()) == ([[0], [0]], [])
    assert counted(registry, "last_round_seconds") > 0


async def test_a_clock_that_jumped_makes_nothing_due(deployment: Deployment) -> None:
    deployment.frame(days=500, body=b"")
    registry, clock = CollectorRegistry(), [0.0]
    metrics = RetentionMetrics(registry)
    keeper = Keeper(
        deployment.forgetter(YEAR), metrics, lambda: True, 60.0, clock=lambda: time.time() + clock[0]
    )
    clock[0] = 40 * 365 * 86_400.0
    running = asyncio.create_task(keeper.run())

    await until(lambda: counted(registry, "faults_total", reason="clock") == 1)

    keeper.stop()
    await running
    assert deployment.offsets() == [0]
