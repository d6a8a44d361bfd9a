"""A long watch: changes at intervals, each told once and in order, each one frame in the trail."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import aiohttp

from tests.kubernetes import many, trail
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.clients import gateway_session

NAMESPACE = "watched"
EVERY_S = 2.0
LATE_S = 30.0
_COLLECTION = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_OBJECT = {"metadata": {"name": "counter"}, "data": {"number": "0"}}


def run(bench: Bench) -> Findings:
    """Watches for `bench.watch_seconds`."""
    findings = Findings()
    told = asyncio.run(_watched(bench, findings))
    watches = [e for e in trail.exchanges(bench.gateway) if f"{_COLLECTION}?watch=" in e.target]
    if findings.check(len(watches) == 1, f"the trail has {len(watches)} watches"):
        # One frame an event, the request's own, the end's, and the head's where that came before the first event
        frames, outcome = watches[0].frames, watches[0].outcome
        findings.check(frames in (told + 2, told + 3), f"{told} events are {frames} frames")
        findings.check(outcome != "pending", "the trail does not say how the watch ended")
        findings.figures |= {"frames": frames, "outcome": outcome}
    return findings


async def _watched(bench: Bench, findings: Findings) -> int:
    """How many events came."""
    admin = aiohttp.TCPConnector(ssl=many.admin_context(bench.cluster))
    sent: dict[int, float] = {}
    seen: list[tuple[int, float]] = []
    others: list[str] = []
    async with (
        aiohttp.ClientSession(bench.cluster.url, connector=admin) as direct,
        gateway_session(bench.gateway, "watcher") as through,
    ):
        version = await _prepared(direct)
        path = f"/k8s/cluster{_COLLECTION}?watch=true&resourceVersion={version}"
        async with through.get(path) as answer:
            findings.check(answer.status == 200, f"the watch is answered with {answer.status}")
            reading = asyncio.create_task(_read(answer, seen, others))
            await _change(direct, sent, bench.watch_seconds)
            await _until(lambda: len(seen) >= len(sent) or reading.done())
            reading.cancel()
    numbers = [number for number, _ in seen]
    findings.check(
        numbers == sorted(sent), f"{len(sent)} changes, {len(numbers)} events: {_lost(sent, numbers)}"
    )
    latencies = sorted(at - sent[number] for number, at in seen if number in sent)
    findings.figures = {
        "seconds": bench.watch_seconds,
        "changes": len(sent),
        "events": len(seen),
        "p50_ms": round(1000 * latencies[len(latencies) // 2], 1) if latencies else None,
        "max_ms": round(1000 * latencies[-1], 1) if latencies else None,
    }
    return len(seen) + len(others)


async def _prepared(direct: aiohttp.ClientSession) -> str:
    """Makes the object; gives the version from which on changes are watched."""
    async with direct.post("/api/v1/namespaces", json={"metadata": {"name": NAMESPACE}}) as answer:
        answer.raise_for_status()
    async with direct.post(_COLLECTION, json=_OBJECT) as answer:
        answer.raise_for_status()
        version: str = (await answer.json())["metadata"]["resourceVersion"]
        return version


async def _change(direct: aiohttp.ClientSession, sent: dict[int, float], seconds: float) -> None:
    ends = time.monotonic() + seconds
    number = 0
    while time.monotonic() < ends:
        number += 1
        sent[number] = time.monotonic()
        headers = {"Content-Type": "application/merge-patch+json"}
        body = json.dumps({"data": {"number": str(number)}})
        async with direct.patch(f"{_COLLECTION}/counter", data=body, headers=headers) as answer:
            answer.raise_for_status()
        await asyncio.sleep(EVERY_S)


async def _read(answer: aiohttp.ClientResponse, seen: list[tuple[int, float]], others: list[str]) -> None:
    """Numbers and times of the changes made here; `others`: the cluster puts objects of its own there too."""
    async for line in answer.content:
        event = json.loads(line)
        name = event["object"]["metadata"].get("name", event["type"])
        if name == "counter":
            seen.append((int(event["object"]["data"]["number"]), time.monotonic()))
        else:
            others.append(name)


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LATE_S
    while not holds() and time.monotonic() < deadline:
        await asyncio.sleep(0.1)


def _lost(sent: dict[int, float], numbers: list[int]) -> str:
    lost = sorted(set(sent) - set(numbers))
    return f"lost {lost[:5]}" if lost else "repeated or out of order"
