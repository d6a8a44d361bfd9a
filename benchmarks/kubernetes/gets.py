"""Small gets, by so many connections that each ask again as soon as they are answered."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.kubernetes.wire import Place

PATH = "/api/v1/namespaces/prod/configmaps/app-config"
WARM_S = 0.5


@dataclass(frozen=True)
class Gets:
    """One round: requests a second, and milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def measured(place: Place, connections: int, seconds: float) -> Gets:
    """One round."""
    took: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_ask(place, began + WARM_S, began + WARM_S + seconds, took))
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return Gets(len(took) / seconds, 1000 * cuts[49], 1000 * cuts[98])


async def _ask(place: Place, begin: float, end: float, took: list[float]) -> None:
    request = place.request(PATH)
    async with place.connected() as wire:
        while (sent := time.perf_counter()) < end:
            await wire.get(request)
            if sent >= begin:
                took.append(time.perf_counter() - sent)


def median(rounds: Sequence[Gets]) -> Gets:
    """Each figure's median."""
    return Gets(*(statistics.median(getattr(one, name) for one in rounds) for name in Gets.__annotations__))
