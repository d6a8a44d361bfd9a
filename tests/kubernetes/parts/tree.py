"""A tool call and the Kubernetes requests that it caused are one tree: secrets masked on both legs, a delete held."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from mcp.types import CallToolResult, TextContent

from tests.kubernetes import mcp_server, trail
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.gateway import CONNECTION, TOOLS, Gateway
from tests.kubernetes.known_secrets import SECRETS

NAMESPACE = "tree"
CALLER = "dave"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET = {"apiVersion": "v1", "kind": "Secret", "namespace": "prod", "name": "db-credentials"}
_DELETED = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": NAMESPACE, "name": "settings"}


def run(bench: Bench) -> Findings:
    """Calls the tools, then reads the trail."""
    bench.cluster.kubectl("create", "namespace", NAMESPACE)
    bench.cluster.kubectl("create", "configmap", "settings", "-n", NAMESPACE, "--from-literal=colour=blue")
    findings = Findings()
    with mcp_server.running(bench.clients, bench.gateway, bench.mcp_port, bench.folder):
        asyncio.run(_calls(bench, findings))
    trail.caught_up(bench.gateway)
    _trees(bench, findings)
    findings.check(trail.bodies_with(bench.gateway, list(SECRETS)) == 0, "a secret stands in the store")
    return findings


async def _calls(bench: Bench, findings: Findings) -> None:
    async with mcp_server.tools(bench.gateway, CALLER) as client:
        listed = await client.call_tool("pods_list_in_namespace", {"namespace": "prod"})
        findings.check("debug" in _text(listed), f"pods_list_in_namespace: {_text(listed)[:300]}")
        secret = _text(await client.call_tool("resources_get", _SECRET))
        findings.check("db-credentials" in secret, f"resources_get: {secret[:300]}")
        findings.check(not any(each in secret for each in SECRETS), "resources_get shows a secret")
        held = _text(await client.call_tool("resources_delete", _DELETED))
        found = _ID.search(held)
        if not findings.check(found is not None, f"resources_delete is not held: {held[:300]}"):
            return
        assert found is not None
        await asyncio.to_thread(bench.gateway.command, "approvals", "approve", found[0])
        done = await client.call_tool("resources_delete", _DELETED)
        findings.check(not done.is_error, f"approved, resources_delete does not run: {_text(done)[:300]}")
    left = bench.cluster.kubectl("get", "configmaps", "-n", NAMESPACE, "-o", "name")
    findings.check("settings" not in left, "the approved delete did not happen")


def _text(result: CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def _trees(bench: Bench, findings: Findings) -> None:
    """Each tool call's tree has the requests that it caused, by the same caller, with what was masked and held."""
    calls = bench.gateway.query(
        "SELECT toString(exchange_id) AS id, tool FROM v_exchanges "
        f"WHERE connection = '{TOOLS}' AND method = 'tools/call' ORDER BY started_at"
    )
    findings.check(len(calls) == 4, f"the trail has {len(calls)} tool calls")
    for call in calls:
        bench.say(bench.gateway.command("tree", call["id"]))
        branches = _branches(bench.gateway, call["id"])
        below = [branch for branch in branches if branch["connection"] == CONNECTION]
        findings.check(bool(below), f"{call['tool']}: no Kubernetes request is below it")
        mine = all(branch["principal"] == CALLER for branch in branches)
        findings.check(mine, f"{call['tool']}: somebody else is in its tree")
        if call["tool"] == "resources_get":
            shown = _pseudonyms(bench.gateway, [branch["exchange_id"] for branch in branches])
            findings.check({TOOLS, CONNECTION} <= shown, f"{call['tool']}: masked on {sorted(shown)} alone")
    held = [
        branch
        for call in calls
        for branch in _branches(bench.gateway, call["id"])
        if branch["verdict"] == "hold"
    ]
    findings.check(len(held) >= 1, "no request in the trees was held")


def _pseudonyms(gateway: Gateway, exchange_ids: list[str]) -> set[str]:
    """The connections on which pseudonyms passed in these exchanges, as they are or in base64."""
    ids = ", ".join(f"'{each}'" for each in exchange_ids)
    masked = " OR ".join(f"position(body, '{word}') > 0" for word in ("[masked:", "W21hc2tlZDp"))
    rows = gateway.query(
        f"SELECT DISTINCT connection FROM v_frames WHERE exchange_id IN ({ids}) AND ({masked})"
    )
    return {row["connection"] for row in rows}


def _branches(gateway: Gateway, exchange_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gateway.command("tree", "--json", exchange_id).splitlines()]
