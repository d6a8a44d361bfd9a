"""So many watches of one collection: how late each hears of a change, and how many events a second pass."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from benchmarks.kubernetes.wire import Place, Wire

NAMESPACE = "fan-out"
WATCHES = 200
STEADY_CHANGES, STEADY_S = 40, 0.25
BURST_CHANGES = 50
LATE_S = 60.0
_COLLECTION = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


class LostError(RuntimeError):
    """A watch has not heard of every change."""


@dataclass(frozen=True)
class FanOut:
    """Milliseconds from the change to its event at a watch, at a steady rate; and events a second of a burst."""

    p50_ms: float
    p99_ms: float
    burst_per_second: float


class Changes:
    """Changes one object, at the API server itself."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.sent: list[float] = []

    async def prepare(self) -> None:
        """Makes the namespace and the object where they are missing."""
        for path, body in (
            ("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
            (_COLLECTION, {"metadata": {"name": "changing"}, "data": {"number": "0"}}),
        ):
            async with self._http.post(path, json=body) as answer:
                if answer.status != 409:
                    answer.raise_for_status()

    async def version(self) -> str:
        """The one from which on to watch."""
        async with self._http.get(_COLLECTION) as answer:
            version: str = (await answer.json())["metadata"]["resourceVersion"]
            return version

    async def one(self) -> None:
        """One change, whose time is kept."""
        body = json.dumps({"data": {"number": str(time.time_ns())}})
        self.sent.append(time.perf_counter())
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self._http.patch(f"{_COLLECTION}/changing", data=body, headers=headers) as answer:
            answer.raise_for_status()


async def measured(place: Place, changes: Changes) -> FanOut:
    """One round, with watches of its own. Raises LostError."""
    changes.sent.clear()
    request = place.request(f"{_COLLECTION}?watch=true&resourceVersion={await changes.version()}")
    heard: list[list[float]] = [[] for _ in range(WATCHES)]
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        wires = [await stack.enter_async_context(place.connected()) for _ in range(WATCHES)]
        await asyncio.gather(*[wire.open(request) for wire in wires])
        hearing = [group.create_task(_hear(wire, into)) for wire, into in zip(wires, heard, strict=True)]
        for _ in range(STEADY_CHANGES):
            await changes.one()
            await asyncio.sleep(STEADY_S)
        await _all_heard(heard, STEADY_CHANGES)
        late = _late(heard, changes.sent)
        began = time.perf_counter()
        for _ in range(BURST_CHANGES):
            await changes.one()
        await _all_heard(heard, STEADY_CHANGES + BURST_CHANGES)
        ended = max(each[-1] for each in heard)
        for task in hearing:
            task.cancel()
    cuts = statistics.quantiles(late, n=100, method="inclusive")
    return FanOut(1000 * cuts[49], 1000 * cuts[98], WATCHES * BURST_CHANGES / (ended - began))


async def _hear(wire: Wire, heard: list[float]) -> None:
    """Notes when each line was whole: an event is a line, whatever chunks it comes in."""
    async for chunk in wire.chunks():
        at = time.perf_counter()
        heard.extend([at] * chunk.count(b"\n"))


async def _all_heard(heard: list[list[float]], count: int) -> None:
    deadline = time.perf_counter() + LATE_S
    while min(map(len, heard)) < count:
        if time.perf_counter() > deadline:
            raise LostError(
                f"of {count} changes a watch has heard {min(map(len, heard))} after {LATE_S:.0f} s"
            )
        await asyncio.sleep(0.02)


def _late(heard: list[list[float]], sent: list[float]) -> list[float]:
    return [at - since for each in heard for at, since in zip(each, sent, strict=False)]
