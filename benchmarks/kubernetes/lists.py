"""A list of 5,000 objects, 10 MB, over one connection."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benchmarks.kubernetes.wire import Place

PATH = "/api/v1/namespaces/many/configmaps"


@dataclass(frozen=True)
class Listing:
    """Median seconds of a list, and its size."""

    seconds: float
    megabytes: float


async def measured(place: Place) -> tuple[float, int]:
    """Seconds and bytes of one list."""
    async with place.connected() as wire:
        began = time.perf_counter()
        size = await wire.get(place.request(PATH))
        return time.perf_counter() - began, size


def median(found: list[tuple[float, int]]) -> Listing:
    """Of several."""
    return Listing(statistics.median(seconds for seconds, _ in found), found[0][1] / 1e6)
