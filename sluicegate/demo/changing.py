"""The demo's tools that change the cluster. Deleting asks the user first, in the way of the client's protocol era."""

from typing import Annotated, Final

from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from sluicegate.demo.cluster import Cluster, ClusterError
from sluicegate.demo.reading import Kind, Name, Namespace

ADDS: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
DESTROYS: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False
)


class Confirmation(BaseModel):
    """What the user is asked before something is deleted."""

    confirm: bool = Field(description="Really delete it?")


async def ask_before_delete(kind: str, name: str, namespace: str = "") -> Elicit[Confirmation]:
    """The question to the user; the SDK sends it as a request of its own or as `input_required`."""
    return Elicit(f"Delete {kind} {namespace}/{name}? This cannot be undone.", Confirmation)


def add_changing_tools(server: MCPServer, cluster: Cluster) -> None:
    """Register the tools on `server`."""

    @server.tool(annotations=ADDS, structured_output=False)
    async def deployment_scale(namespace: Namespace, name: Name, replicas: int) -> str:
        """Set the number of replicas of a Deployment."""
        try:
            found = cluster.scale(namespace, name, replicas)
        except ClusterError as error:
            raise ToolError(str(error)) from None
        return f"deployment.apps/{name} scaled to {found['spec']['replicas']}"

    @server.tool(annotations=DESTROYS, structured_output=False)
    async def rollout_restart(namespace: Namespace, name: Name) -> str:
        """Restart a Deployment: every pod is replaced by a new one."""
        try:
            found = cluster.restart(namespace, name)
        except ClusterError as error:
            raise ToolError(str(error)) from None
        return f"deployment.apps/{name} restarted, generation {found['metadata']['generation']}"

    @server.tool(annotations=DESTROYS, structured_output=False)
    async def resources_delete(
        kind: Kind,
        name: Name,
        answer: Annotated[ElicitationResult[Confirmation], Resolve(ask_before_delete)],
        namespace: Namespace = "",
    ) -> str:
        """Delete a resource, after the user has confirmed it."""
        if not isinstance(answer, AcceptedElicitation) or not answer.data.confirm:
            return f"not deleted: the user did not confirm ({kind} {namespace}/{name})"
        try:
            cluster.delete(kind, name, namespace)
        except ClusterError as error:
            raise ToolError(str(error)) from None
        return f'{kind.lower()} "{name}" deleted'
