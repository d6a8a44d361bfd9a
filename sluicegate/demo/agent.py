"""The demo's agent: works on the checkout incident with the official MCP client, in both protocol eras.

    python -m sluicegate.demo.agent --url http://127.0.0.1:8080/mcp/demo --console http://127.0.0.1:8082

Where the endpoint asks who calls, it works for Alice, then for Bob, who is of another group and whose held calls
Alice decides, then once with a session token. It has no language model: the incident and the steps are the story,
every call is real.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import httpx2
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.client.auth import OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult, Implementation
from rich.console import Console
from rich.markup import escape

from sluicegate.demo.approver import Approver
from sluicegate.demo.caller import NAME, Caller, with_token
from sluicegate.demo.incident import APP, CALL_SECONDS_MAX, first_pod, investigate, repair
from sluicegate.demo.onlooker import Held, look
from sluicegate.demo.seed import REGIONS
from sluicegate.demo.story import AgentError, Chapter, Log, Story, Teller

ERAS: Final = {"2025-11-25": "legacy", "2026-07-28": "auto"}
"""Protocol version to reach, and how the SDK's client is told to reach it."""
WORDS: Final = (
    ("approve", "look at the host only"),
    ("deny", "the password was rotated, it is of no use"),
)
"""What Alice says when the agent wants to read a secret for Bob, era by era."""

Looks = Callable[[Teller, Client, str], Awaitable[None]]
PURPOSE: Final = "confirm that checkout is healthy again"


async def run(url: str, console: str = "", *, log: Log) -> Story:
    """Work on the incident of one region in each era, one after the other. At `console` held calls are decided, where
    the endpoint asks who calls.

    `log` takes one line in rich markup for each step. Raises AgentError when the endpoint at `url` speaks another
    protocol version than asked for, does not answer, or answers with what the story has no place for.
    """
    alice, bob = Caller("alice", url), Caller("bob", url)
    chapters = [await _on_call(url, era, alice, log) for era in ERAS]
    if alice.logged_in:
        shown = chapters[0].listing
        approver = Approver("alice", console, log)
        for era, (verb, comment) in zip(ERAS, WORDS, strict=True):
            held = Held(approver, verb, comment)
            chapters.append(await _onlooker(url, era, bob, log, partial(look, others=shown, held=held)))
        chapters.append(await _with_session_token(url, alice, log))
    return Story(tuple(chapters))


async def _on_call(url: str, era: str, alice: Caller, log: Log) -> Chapter:
    region = _region(era)
    teller = Teller(era, log)
    async with _client(url, era, teller, alice.http()) as client:
        teller.person = alice.name if alice.logged_in else ""
        who = f"{alice.name} (sre): " if alice.logged_in else ""
        teller.heading(f"{who}{APP} is failing in {region} (MCP {era})")
        await investigate(teller, client, region)
        await repair(teller, client, region)
    return teller.chapter()


async def _onlooker(url: str, era: str, bob: Caller, log: Log, looks: Looks) -> Chapter:
    region = _region(era)
    teller = Teller(era, log, bob.name)
    async with _client(url, era, teller, bob.http()) as client:
        teller.heading(f"{bob.name} (developers): the same agent, the same {APP} in {region} (MCP {era})")
        await looks(teller, client, region)
    return teller.chapter()


async def _with_session_token(url: str, alice: Caller, log: Log) -> Chapter:
    era = list(ERAS)[-1]
    token = await alice.session_token(PURPOSE)
    teller = Teller(era, log, alice.name)
    async with _client(url, era, teller, with_token(token)) as client:
        teller.heading(f"{alice.name} with a session token: {PURPOSE} (MCP {era})")
        first_pod(await teller.call(client, "pods_list", namespace=_region(era), app=APP))
    return teller.chapter()


def _region(era: str) -> str:
    return REGIONS[list(ERAS).index(era)]


@asynccontextmanager
async def _client(url: str, era: str, teller: Teller, http: httpx2.AsyncClient) -> AsyncIterator[Client]:
    """The SDK's client, connected to `url` with the protocol version `era`. Raises like `run`."""

    async def answer(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context  # the question says it all
        teller.asked(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    made = Client(
        streamable_http_client(url, http_client=http),
        mode=ERAS[era],
        client_info=Implementation(name=NAME, version="1.0.0"),
        elicitation_callback=answer,
        read_timeout_seconds=CALL_SECONDS_MAX,
    )
    try:
        async with http, made as client:
            if client.protocol_version != era:
                raise AgentError(f"{url} speaks {client.protocol_version}, not {era} as asked for")
            yield client
    except (MCPError, OAuthFlowError, httpx2.HTTPError) as error:
        raise AgentError(f"the work over {url} ended early: {_told(error)}") from error
    except ExceptionGroup as group:  # the SDK's task groups wrap what is raised inside them
        raise _cause(group, url) from group


def _cause(group: BaseExceptionGroup[BaseException], url: str) -> AgentError:
    """The first fault in `group`, as an AgentError that names the endpoint."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, AgentError):
        return first
    return AgentError(f"the work over {url} ended early: {_told(first)}")


def _told(error: BaseException) -> str:
    return (
        f"{error.code} {error.message}" if isinstance(error, MCPError) else str(error) or type(error).__name__
    )


def to_console(console: Console) -> Log:
    """A log that prints to `console`, one line each."""
    return partial(console.print, soft_wrap=True, highlight=False)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sluicegate.demo.agent", description="the demo's agent")
    parser.add_argument("--url", required=True, help="an MCP endpoint with the demo's server behind it")
    parser.add_argument("--console", required=True, help="where held calls are decided")
    given = parser.parse_args()
    console = Console()
    try:
        story = asyncio.run(run(given.url, given.console, log=to_console(console)))
    except AgentError as error:
        sys.exit(str(error))
    to_console(console)(escape(str(story)))


if __name__ == "__main__":
    main()
