"""What the same agent may do for a developer: it looks, waits for who may decide, and is told why not elsewhere."""

import asyncio
from typing import NamedTuple

from mcp import Client

from sluicegate.demo.approver import Approver
from sluicegate.demo.incident import APP, first_pod
from sluicegate.demo.story import AgentError, Teller


class Held(NamedTuple):
    """Who decides on what is held, and what they say."""

    approver: Approver
    verb: str
    comment: str


async def look(teller: Teller, client: Client, region: str, others: tuple[str, ...], held: Held) -> None:
    """Look at the incident, then try what is not for developers. Raises AgentError when that is let through.

    `others` are the tools that the person on call is shown.
    """
    await teller.tools(client, others)
    pod = first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "pods_log", namespace=region, name=pod, tail=20)
    read = asyncio.create_task(
        teller.call(client, "secret_read", "password", namespace=region, name="checkout-db")
    )
    try:
        await held.approver.decide("secret_read", held.verb, held.comment)
        await read
    finally:
        read.cancel()
    await teller.call(client, "deployment_scale", namespace=region, name=APP, replicas=3)
    await teller.call(client, "rollout_restart", namespace=region, name=APP)
    denied = [] if held.verb == "approve" else ["approval_denied"]
    if teller.refusals != [*denied, "policy_denied", "policy_denied"]:
        raise AgentError(
            f"the policy in force is not the demo's: a developer's calls were refused as {teller.refusals}"
        )
