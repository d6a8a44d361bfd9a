"""The demo's long calls: probes run inside a pod one after the other, with progress, until done or cancelled."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from sluicegate.demo.cluster import Cluster, ClusterError
from sluicegate.demo.reading import LOOKS, Name, Namespace

EXECUTES: Final = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)
PROBES: Final = ("dns", "tcp connect", "tls handshake", "database login", "http /healthz")
ROUNDS_MAX: Final = 1_000
PAUSE_MS_MAX: Final = 5_000


@dataclass
class Runs:
    """How many diagnostics run, are through, and were cancelled."""

    running: int = 0
    finished: int = 0
    cancelled: int = 0


def add_diagnostic_tools(server: MCPServer, cluster: Cluster, runs: Runs) -> None:
    """Register the tools on `server`; `runs` counts what they do."""

    @server.tool(annotations=EXECUTES, structured_output=False)
    async def diagnostics_run(
        namespace: Namespace,
        name: Name,
        ctx: Context,
        rounds: Annotated[int, Field(ge=1, le=ROUNDS_MAX, description="Times through all probes")] = 1,
        pause_ms: Annotated[int, Field(ge=0, le=PAUSE_MS_MAX, description="Pause after a probe")] = 50,
    ) -> str:
        """Run network probes inside a pod (like `kubectl exec`), reporting progress after each."""
        ready = _is_ready(cluster, namespace, name)
        runs.running += 1
        try:
            lines = await _probe(ctx, ready, rounds, pause_ms)
        except asyncio.CancelledError:
            runs.cancelled += 1
            raise
        finally:
            runs.running -= 1
        runs.finished += 1
        return "\n".join(lines)

    @server.tool(annotations=LOOKS)
    async def diagnostics_status() -> Runs:
        """How many diagnostics run now, have finished and were cancelled."""
        return runs


async def _probe(ctx: Context, ready: bool, rounds: int, pause_ms: int) -> list[str]:
    """One line a probe; progress counts probes."""
    lines = []
    total = rounds * len(PROBES)
    for done in range(total):
        probe = PROBES[done % len(PROBES)]
        await asyncio.sleep(pause_ms / 1000)
        outcome = "ok" if ready or probe != "database login" else "FAILED: password authentication failed"
        lines.append(f"{probe}: {outcome}")
        await ctx.report_progress(done + 1, total, lines[-1])
    return lines


def _is_ready(cluster: Cluster, namespace: str, name: str) -> bool:
    try:
        pod = cluster.get("Pod", name, namespace)
    except ClusterError as error:
        raise ToolError(str(error)) from None
    return bool(pod["status"]["containerStatuses"][0]["ready"])
