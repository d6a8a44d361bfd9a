"""A list of 5,000 objects: every byte of the API server's but the masked parts, and one frame in the trail."""

from __future__ import annotations

import asyncio
import hashlib
import time

import aiohttp

from tests.kubernetes import many, trail
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.clients import gateway_session
from tests.kubernetes.known_secrets import SECRETS
from tests.kubernetes.same import masked_parts, same

PATH = f"/api/v1/namespaces/{many.NAMESPACE}/configmaps"


def run(bench: Bench) -> Findings:
    """Makes the objects, lists them on both sides, and compares."""
    findings = Findings()
    asyncio.run(_compare(bench, findings))
    listed = [
        e
        for e in trail.exchanges(bench.gateway)
        if e.target.startswith(f"{PATH}?") and e.attributes["k8s.verb"] == "list"
    ]
    findings.check(len(listed) == 1 and listed[0].outcome == "completed", "the trail has not one ended list")
    findings.check(trail.bodies_with(bench.gateway, list(SECRETS)) == 0, "a secret stands in the store")
    return findings


async def _compare(bench: Bench, findings: Findings) -> None:
    await many.made(bench.cluster)
    connector = aiohttp.TCPConnector(ssl=many.admin_context(bench.cluster))
    async with aiohttp.ClientSession(bench.cluster.url, connector=connector) as http:
        path = await _as_of_now(http)
        direct, direct_s = await _listed(http, path)
    async with gateway_session(bench.gateway, "lister") as http:
        through, through_s = await _listed(http, f"/k8s/cluster{path}")
    findings.figures = {
        "bytes": len(direct),
        "sha256": hashlib.sha256(direct.encode()).hexdigest()[:12],
        "masked": masked_parts(through),
        "direct_s": round(direct_s, 2),
        "through_s": round(through_s, 2),
    }
    findings.check(direct.count('"item-') >= many.COUNT, "the list has not all objects")
    findings.check(masked_parts(through) == many.COUNT // 1000, f"{masked_parts(through)} parts are masked")
    findings.check(same(direct, through), "the list through the gateway is another, beside its masked parts")
    findings.check(not any(secret in through for secret in SECRETS), "the list shows a secret")


async def _as_of_now(http: aiohttp.ClientSession) -> str:
    """The list at one version: a list names the newest version of all the cluster."""
    async with http.get(f"{PATH}?limit=1", headers={"Accept": "application/json"}) as answer:
        version = (await answer.json())["metadata"]["resourceVersion"]
    return f"{PATH}?resourceVersion={version}&resourceVersionMatch=Exact"


async def _listed(http: aiohttp.ClientSession, path: str) -> tuple[str, float]:
    began = time.perf_counter()
    async with http.get(path, headers={"Accept": "application/json"}) as answer:
        answer.raise_for_status()
        return (await answer.read()).decode(), time.perf_counter() - began
