"""What the person on call does about the incident: find the cause, repair it, and look whether it holds."""

import asyncio
from typing import Final

from mcp import Client, MCPError

from sluicegate.demo.story import AgentError, Teller

APP: Final = "checkout"
LONG_ROUNDS: Final = 500
STATUS_TRIES_MAX: Final = 50
STATUS_PAUSE_SECONDS: Final = 0.1
CALL_SECONDS_MAX: Final = 60.0


async def investigate(teller: Teller, client: Client, region: str) -> None:
    """Look until the cause is found: a password that was rotated under running pods."""
    await teller.tools(client)
    await client.get_prompt("incident_triage", {"namespace": region, "app": APP})
    teller.listed("prompt incident_triage", 1)
    await _overview(teller, client)
    await teller.call(client, "namespaces_list")
    pod = first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "pods_log", "ERROR", namespace=region, name=pod, tail=20)
    await teller.call(client, "resources_list", "rotated", kind="Event", namespace=region)
    await teller.call(client, "resources_get", "unavailable", kind="Deployment", name=APP, namespace=region)
    await teller.call(
        client, "resources_get", "DB_HOST", kind="ConfigMap", name="checkout-config", namespace=region
    )
    await teller.call(
        client, "resources_get", "  password:", kind="Secret", name="checkout-db", namespace=region
    )
    await teller.call(client, "secret_read", 'password":', namespace=region, name="checkout-db")
    await teller.call(client, "diagnostics_run", "FAILED", namespace=region, name=pod)
    await _impatient(teller, client, region, pod)


async def repair(teller: Teller, client: Client, region: str) -> None:
    """Give the pods the new password, with a mistake and a wish for more on the way."""
    # A mistake on the way, as agents make them: another region's name for the Deployment.
    await teller.call(client, "deployment_scale", namespace=region, name="checkout-api", replicas=4)
    await teller.call(client, "deployment_scale", namespace=region, name=APP, replicas=4)
    await teller.call(client, "rollout_restart", namespace=region, name=APP)
    pod = first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "resources_delete", kind="Pod", name=pod, namespace=region)
    fresh = first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "pods_log", namespace=region, name=fresh, tail=20)
    await _gone(teller, client, region, pod)
    await teller.call(client, "deployment_scale", namespace=region, name=APP, replicas=2)
    await _overview(teller, client)


async def _overview(teller: Teller, client: Client) -> None:
    read = await client.read_resource("cluster://overview")
    teller.listed("resource cluster://overview", len(read.contents))


async def _gone(teller: Teller, client: Client, region: str, pod: str) -> None:
    """Read the deleted pod as a resource: a JSON-RPC error, where a failing tool is a result."""
    try:
        await client.read_resource(f"cluster://{region}/Pod/{pod}")
    except MCPError as error:
        teller.refused(f"resource of {pod}", error)


async def _impatient(teller: Teller, client: Client, region: str, pod: str) -> None:
    """Begin a long diagnosis, lose patience after its first progress, and see that it ends upstream too."""
    begun = asyncio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del progress, total, message  # that there is any is enough
        begun.set()

    arguments = {"namespace": region, "name": pod, "rounds": LONG_ROUNDS}
    call = asyncio.create_task(client.call_tool("diagnostics_run", arguments, progress_callback=on_progress))
    first = asyncio.create_task(begun.wait())
    await asyncio.wait({call, first}, timeout=CALL_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED)
    first.cancel()
    call.cancel()
    await asyncio.wait({call})
    if not call.cancelled():
        raise AgentError(
            f"the long diagnosis ended before it could be cancelled: {call.exception() or 'a result'}"
        )
    teller.cancelled("diagnostics_run")
    await _until_quiet(teller, client)


async def _until_quiet(teller: Teller, client: Client) -> None:
    """Ask until no diagnosis runs upstream. Raises AgentError when one goes on: the cancellation got lost."""
    for _ in range(STATUS_TRIES_MAX):
        status = (await teller.result(client, "diagnostics_status")).structured_content or {}
        if status.get("running") == 0:
            return
        await asyncio.sleep(STATUS_PAUSE_SECONDS)
    raise AgentError("the cancelled diagnosis still runs upstream: the cancellation did not get there")


def first_pod(table: str) -> str:
    """The name in the first row of `pods_list`."""
    rows = table.splitlines()[1:]
    if not rows:
        raise AgentError(f"no pods of {APP} are there; is this the demo's MCP server?")
    return rows[0].split()[1]
