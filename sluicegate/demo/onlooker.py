"""What the same agent may do for a developer: it looks, and is told why not where it would go further."""

from mcp import Client

from sluicegate.demo.incident import APP, first_pod
from sluicegate.demo.story import AgentError, Teller


async def look(teller: Teller, client: Client, region: str, others: tuple[str, ...]) -> None:
    """Look at the incident, then try what is not for developers. Raises AgentError when that is let through.

    `others` are the tools that the person on call is shown.
    """
    await teller.tools(client, others)
    pod = first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "pods_log", namespace=region, name=pod, tail=20)
    await teller.call(client, "secret_read", namespace=region, name="checkout-db")
    await teller.call(client, "deployment_scale", namespace=region, name=APP, replicas=3)
    await teller.call(client, "rollout_restart", namespace=region, name=APP)
    if teller.refusals != ["policy_held", "policy_denied", "policy_denied"]:
        raise AgentError(
            f"the policy in force is not the demo's: a developer's calls were refused as {teller.refusals}"
        )
