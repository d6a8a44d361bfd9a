"""The demo's agent: works on the checkout incident with the official MCP client, in both protocol eras.

    python -m sluicegate.demo.agent --url http://127.0.0.1:8080/mcp/demo

It has no language model: the incident and the steps are the story, every call is real.
"""

import argparse
import asyncio
import sys
from functools import partial
from typing import Final

from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, Implementation
from rich.console import Console
from rich.markup import escape

from sluicegate.demo.seed import REGIONS
from sluicegate.demo.story import Chapter, Log, Story, Teller

ERAS: Final = {"2025-11-25": "legacy", "2026-07-28": "auto"}
"""Protocol version to reach, and how the SDK's client is told to reach it."""
APP: Final = "checkout"
LONG_ROUNDS: Final = 500
STATUS_TRIES_MAX: Final = 50
STATUS_PAUSE_SECONDS: Final = 0.1
CALL_SECONDS_MAX: Final = 60.0


class AgentError(Exception):
    """The story could not be told as it should go. The message says what came instead."""


async def run(url: str, *, log: Log) -> Story:
    """Work on the incident of one region in each era, one after the other.

    `log` takes one line in rich markup for each step. Raises AgentError when the endpoint at `url` speaks another
    protocol version than asked for, does not answer, or answers with what the story has no place for.
    """
    chapters = [await run_era(url, era, region, log=log) for era, region in zip(ERAS, REGIONS, strict=True)]
    return Story(tuple(chapters))


async def run_era(url: str, era: str, region: str, *, log: Log) -> Chapter:
    """One chapter: the incident of `region` with the protocol version `era`. Raises like `run`."""
    teller = Teller(era, log)
    try:
        async with _client(url, era, teller) as client:
            if client.protocol_version != era:
                raise AgentError(f"{url} speaks {client.protocol_version}, not {era} as asked for")
            teller.heading(f"{APP} is failing in {region} (MCP {era})")
            await _investigate(teller, client, region)
            await _repair(teller, client, region)
    except MCPError as error:
        raise AgentError(f"the work over {url} ended early: {error.code} {error.message}") from error
    except ExceptionGroup as group:  # the SDK's task groups wrap what is raised inside them
        raise _cause(group, url) from group
    return teller.chapter()


def _client(url: str, era: str, teller: Teller) -> Client:
    async def answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context  # the question says it all
        teller.asked(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    return Client(
        url,
        mode=ERAS[era],
        client_info=Implementation(name="oncall-agent", version="1.0.0"),
        elicitation_callback=answer,
        read_timeout_seconds=CALL_SECONDS_MAX,
    )


def _cause(group: BaseExceptionGroup[BaseException], url: str) -> AgentError:
    """The first fault in `group`, as an AgentError that names the endpoint."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, AgentError):
        return first
    return AgentError(f"the work over {url} ended early: {first or type(first).__name__}")


async def _investigate(teller: Teller, client: Client, region: str) -> None:
    listing = await client.list_tools()
    teller.listed("tools", len(listing.tools))
    await client.get_prompt("incident_triage", {"namespace": region, "app": APP})
    teller.listed("prompt incident_triage", 1)
    await _overview(teller, client)
    await teller.call(client, "namespaces_list")
    pod = _first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "pods_log", "ERROR", namespace=region, name=pod, tail=20)
    await teller.call(client, "resources_list", "rotated", kind="Event", namespace=region)
    await teller.call(client, "resources_get", "unavailable", kind="Deployment", name=APP, namespace=region)
    await teller.call(
        client, "resources_get", "DB_HOST", kind="ConfigMap", name="checkout-config", namespace=region
    )
    await teller.call(
        client, "resources_get", "  password:", kind="Secret", name="checkout-db", namespace=region
    )
    await teller.call(client, "secret_read", 'password":', name="checkout-db", namespace=region)
    await teller.call(client, "diagnostics_run", "FAILED", namespace=region, name=pod)
    await _impatient(teller, client, region, pod)


async def _repair(teller: Teller, client: Client, region: str) -> None:
    # A mistake on the way, as agents make them: another region's name for the Deployment.
    await teller.call(client, "deployment_scale", namespace=region, name="checkout-api", replicas=4)
    await teller.call(client, "deployment_scale", namespace=region, name=APP, replicas=4)
    await teller.call(client, "rollout_restart", namespace=region, name=APP)
    pod = _first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
    await teller.call(client, "resources_delete", kind="Pod", name=pod, namespace=region)
    fresh = _first_pod(await teller.call(client, "pods_list", namespace=region, app=APP))
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


def _first_pod(table: str) -> str:
    """The name in the first row of `pods_list`."""
    rows = table.splitlines()[1:]
    if not rows:
        raise AgentError(f"no pods of {APP} are there; is this the demo's MCP server?")
    return rows[0].split()[1]


def to_console(console: Console) -> Log:
    """A log that prints to `console`, one line each."""
    return partial(console.print, soft_wrap=True, highlight=False)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sluicegate.demo.agent", description="the demo's agent")
    parser.add_argument("--url", required=True, help="an MCP endpoint with the demo's server behind it")
    url = parser.parse_args().url
    console = Console()
    try:
        story = asyncio.run(run(url, log=to_console(console)))
    except AgentError as error:
        sys.exit(str(error))
    to_console(console)(escape(str(story)))


if __name__ == "__main__":
    main()
