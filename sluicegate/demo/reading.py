"""The demo's tools that only look: namespaces, pods, logs, resources, Secrets."""

import base64
import json
from typing import Annotated, Final, Literal

import yaml
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from sluicegate.demo.cluster import Cluster, ClusterError
from sluicegate.demo.objects import Object

LOOKS: Final = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
TAIL_MAX: Final = 500

Namespace = Annotated[str, Field(description="Namespace of the object")]
Name = Annotated[str, Field(description="Name of the object")]
AnyNamespace = Annotated[str, Field(description="Namespace; empty for all")]
Kind = Annotated[str, Field(description="Namespace, Node, Deployment, Pod, ConfigMap, Secret or Event")]
Output = Annotated[Literal["yaml", "json"], Field(description="Notation of the answer")]


def add_reading_tools(server: MCPServer, cluster: Cluster) -> None:
    """Register the tools on `server`."""
    _add_pod_tools(server, cluster)
    _add_resource_tools(server, cluster)


def _add_pod_tools(server: MCPServer, cluster: Cluster) -> None:
    @server.tool(annotations=LOOKS, structured_output=False)
    async def namespaces_list() -> str:
        """List the namespaces of the cluster."""
        return "\n".join(found["metadata"]["name"] for found in cluster.listed("Namespace"))

    @server.tool(annotations=LOOKS, structured_output=False)
    async def pods_list(namespace: AnyNamespace = "", app: str = "") -> str:
        """List pods with readiness, state, restarts and node; of one app when given."""
        return _table(
            ("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "NODE"),
            [_pod_row(pod) for pod in _try_list(cluster, "Pod", namespace, app)],
        )

    @server.tool(annotations=LOOKS, structured_output=False)
    async def pods_log(
        namespace: Namespace, name: Name, tail: Annotated[int, Field(ge=1, le=TAIL_MAX)] = 100
    ) -> str:
        """The last lines that a pod's container wrote."""
        try:
            return "\n".join(cluster.logs(namespace, name, tail))
        except ClusterError as error:
            raise ToolError(str(error)) from None


def _add_resource_tools(server: MCPServer, cluster: Cluster) -> None:
    @server.tool(annotations=LOOKS, structured_output=False)
    async def resources_list(kind: Kind, namespace: AnyNamespace = "", output: Output = "yaml") -> str:
        """List resources of a kind, whole, as a Kubernetes List."""
        items = _try_list(cluster, kind, namespace)
        return written({"apiVersion": "v1", "kind": "List", "items": items}, output)

    @server.tool(annotations=LOOKS, structured_output=False)
    async def resources_get(
        kind: Kind, name: Name, namespace: Namespace = "", output: Output = "yaml"
    ) -> str:
        """One resource, whole, as YAML or JSON; Secrets too."""
        return written(_try_get(cluster, kind, name, namespace), output)

    @server.tool(annotations=LOOKS, structured_output=True)
    async def secret_read(namespace: Namespace, name: Name) -> Object:
        """A Secret with its values decoded (under `stringData`)."""
        found = _try_get(cluster, "Secret", name, namespace)
        data = found.pop("data")
        del found["metadata"]["annotations"]
        return {**found, "stringData": {key: base64.b64decode(value).decode() for key, value in data.items()}}


def written(value: Object, output: str) -> str:
    """`value` as YAML in the key order of the API, or as JSON."""
    if output == "json":
        return json.dumps(value, indent=2)
    text: str = yaml.safe_dump(value, sort_keys=False, width=10_000)
    return text


def _try_get(cluster: Cluster, kind: str, name: str, namespace: str) -> Object:
    try:
        return cluster.get(kind, name, namespace)
    except ClusterError as error:
        raise ToolError(str(error)) from None


def _try_list(cluster: Cluster, kind: str, namespace: str, app: str = "") -> list[Object]:
    try:
        return cluster.listed(kind, namespace, app)
    except ClusterError as error:
        raise ToolError(str(error)) from None


def _pod_row(pod: Object) -> tuple[str, ...]:
    status = pod["status"]["containerStatuses"][0]
    state = status["state"].get("waiting", {}).get("reason", "Running")
    return (
        pod["metadata"]["namespace"],
        pod["metadata"]["name"],
        "1/1" if status["ready"] else "0/1",
        state,
        str(status["restartCount"]),
        pod["spec"]["nodeName"],
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )
