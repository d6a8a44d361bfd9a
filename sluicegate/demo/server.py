"""The demo's MCP server: operations tools over the made-up cluster, in both protocol eras on one endpoint.

    python -m sluicegate.demo.server --port 9000

Prints one line with its URL when it accepts connections. Port 0 takes a free one. Loopback only.
"""

import argparse
import asyncio
import contextlib
import os
import socket
from typing import Final

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from starlette.applications import Starlette

from sluicegate.demo.changing import add_changing_tools
from sluicegate.demo.cluster import Cluster, ClusterError
from sluicegate.demo.diagnostics import Runs, add_diagnostic_tools
from sluicegate.demo.reading import add_reading_tools, written
from sluicegate.demo.resumption import RecentEvents
from sluicegate.demo.seed import DEFAULT_SEED, REGIONS, seeded

HOST: Final = "127.0.0.1"
PATH: Final = "/mcp"
INSTRUCTIONS: Final = (
    "Operations tools for a web shop's Kubernetes cluster (made up, in memory). "
    f"The shop runs in the namespaces {' and '.join(REGIONS)}."
)


def demo_server(cluster: Cluster, runs: Runs) -> MCPServer:
    """The MCP server with its tools, resources and prompt over `cluster`; `runs` counts the diagnostics."""
    server = MCPServer(
        "shop-operations",
        title="Shop operations",
        version="1.0.0",
        instructions=INSTRUCTIONS,
        log_level="WARNING",
    )
    add_reading_tools(server, cluster)
    add_changing_tools(server, cluster)
    add_diagnostic_tools(server, cluster, runs)
    _add_resources(server, cluster)
    _add_prompt(server)
    return server


def demo_app(seed: int = DEFAULT_SEED) -> Starlette:
    """The server as an ASGI application at `/mcp`, over a fresh cluster."""
    server = demo_server(seeded(seed).cluster, Runs())
    return server.streamable_http_app(streamable_http_path=PATH, event_store=RecentEvents(), host=HOST)


def _add_resources(server: MCPServer, cluster: Cluster) -> None:
    @server.resource("cluster://overview", mime_type="text/plain")
    async def overview() -> str:
        """Deployments of all namespaces with their ready and wanted replicas."""
        return "\n".join(
            f"{found['metadata']['namespace']}/{found['metadata']['name']} "
            f"{found['status'].get('readyReplicas', 0)}/{found['spec']['replicas']} ready"
            for found in cluster.listed("Deployment")
        )

    @server.resource("cluster://{namespace}/{kind}/{name}", mime_type="application/yaml")
    async def resource(namespace: str, kind: str, name: str) -> str:
        """One resource of the cluster as YAML."""
        try:
            return written(cluster.get(kind, name, namespace), "yaml")
        except ClusterError as error:
            raise ResourceNotFoundError(str(error)) from None


def _add_prompt(server: MCPServer) -> None:
    @server.prompt()
    async def incident_triage(namespace: str, app: str) -> str:
        """How to look into a failing app."""
        return (
            f"{app} is failing in {namespace}. List its pods, read the logs of one that is not ready, compare the "
            "events with recent changes, say what is the cause, and propose the smallest change that repairs it."
        )


async def serve(port: int, seed: int = DEFAULT_SEED) -> None:
    """Serve until a signal ends it. Raises OSError when the port is taken."""
    with socket.create_server((HOST, port)) as listener:
        config = uvicorn.Config(
            demo_app(seed), log_level="warning", access_log=False, timeout_graceful_shutdown=2, lifespan="on"
        )
        print(f"demo MCP server on http://{HOST}:{listener.getsockname()[1]}{PATH}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sluicegate.demo.server", description="the demo's MCP server"
    )
    parser.add_argument("--port", type=int, default=9000, help="0 takes a free one; it is printed")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="what the cluster is made from")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(serve(options.port, options.seed))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            parser.exit(1, f"port {options.port} of {HOST} cannot be used ({reason}); give another --port\n")


if __name__ == "__main__":
    main()
