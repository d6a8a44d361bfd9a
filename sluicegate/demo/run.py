"""`sluicegate demo`: the stack with the demo's MCP server, the agent at work through the gateway, and its trail.

In order: the stack comes up with the server as one more part; the agent tells its story in both eras; the demo
waits until the trail is whole, lists the sessions, replays one, says where to look next, and stays up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from sluicegate.cli import stack
from sluicegate.cli.failures import told
from sluicegate.cli.options import DEFAULT_FILE, settings_of
from sluicegate.demo import agent
from sluicegate.demo.config import DemoError, console_url, gateway_url, write_config
from sluicegate.demo.guide import next_steps
from sluicegate.demo.parts import extra
from sluicegate.demo.story import AgentError, Story
from sluicegate.demo.trail import (
    WHO_DID_WHAT,
    TrailIncompleteError,
    denied_exchange,
    print_sessions,
    print_who_did_what,
    replay,
    telling,
    wait_for_trail,
)
from sluicegate.embedded.datadir import read_state
from sluicegate.embedded.errors import DataDirError
from sluicegate.embedded.part import Part
from sluicegate.embedded.say import plain_say
from sluicegate.embedded.up import Listen
from sluicegate.settings import Settings

if TYPE_CHECKING:
    from sinks.readers import Reader

RunStack = Callable[[Sequence[Part], Sequence[Listen]], Awaitable[int]]
"""Runs the stack with more parts (started before the others) until a signal or cancellation; gives the exit code."""
OpenReader = Callable[[], "Reader"]
Say = Callable[[str], None]

READY_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Demo:
    """What the demo needs.

    Args:
        settings: the configuration; its connection `demo` says where the demo's server listens.
        config: the file it came from, for the commands that are told.
        run_stack: brings the stack up and keeps it running.
        open_reader: a reader of the trail, once the stack is ready.
        say: takes progress lines.
        console: where the story goes.
    """

    settings: Settings
    config: Path
    run_stack: RunStack
    open_reader: OpenReader
    say: Say
    console: Console

    @property
    def gateway_url(self) -> str:
        """Where an MCP client connects."""
        return gateway_url(self.settings)


async def demo(it: Demo, *, leave: bool = False) -> int:
    """Run the whole demo; the exit code.

    Stays up until a signal, also when the story went wrong so that one can look why; with `leave` it ends after
    the story. 1 when the stack did not come up, the agent failed or the trail stayed incomplete; that is said.
    Raises DemoError when the configuration has no place for the demo's parts. Everything that was started has
    ended when this returns.
    """
    more = extra(it.settings, it.config)
    stack = asyncio.ensure_future(it.run_stack(more.parts, more.listens))
    show = asyncio.create_task(_show(it))
    try:
        await asyncio.wait({stack, show}, return_when=asyncio.FIRST_COMPLETED)
        if stack.done():  # it failed to come up, or somebody pressed Ctrl-C during the story
            return await stack
        shown = await show
        return shown if leave else await stack or shown
    finally:
        await _ended(show)
        await _ended(stack)


async def _show(it: Demo) -> int:
    """The story and its trail; the exit code."""
    await stack_ready(it.settings.data_dir)
    since = datetime.now(UTC).isoformat(timespec="microseconds")
    it.console.rule(f"an agent at work through {it.gateway_url}")
    try:
        story = await agent.run(it.gateway_url, console_url(it.settings), log=agent.to_console(it.console))
    except AgentError as error:
        it.say(f"error: {error}; the parts' logs are in {it.settings.data_dir / 'logs'}")
        return 1
    it.console.print(str(story), highlight=False)
    return await _show_trail(it, since, story)


async def stack_ready(data_dir: Path) -> None:
    """Wait until the stack on `data_dir` says that all its parts are ready."""
    while True:
        try:
            if (await asyncio.to_thread(read_state, data_dir)).ready:
                return
        except DataDirError:  # not there yet; whoever runs the stack notices when it never will be
            pass
        await asyncio.sleep(READY_POLL_SECONDS)


async def _show_trail(it: Demo, since: str, story: Story) -> int:
    from sinks.clickhouse import StoreError  # noqa: PLC0415 (see sluicegate.cli)
    from sinks.readers import ReadError  # noqa: PLC0415

    reader = it.open_reader()
    try:
        it.say("waiting until every frame is in ClickHouse")
        sessions = await wait_for_trail(reader, since, story)
        it.console.rule("sluicegate sessions list")
        print_sessions(sessions)
        it.console.rule("who did what")
        it.console.print(f'sluicegate query "{WHO_DID_WHAT}"', highlight=False, markup=False, soft_wrap=True)
        await print_who_did_what(reader, since)
        shown = telling(sessions)
        it.console.rule(f"sluicegate sessions replay {shown['session_id']} (quickened, bodies cut)")
        frames = await replay(reader, shown)
        it.console.print(f"{frames} frames", highlight=False)
        denied = await denied_exchange(reader, since)
    except (TrailIncompleteError, StoreError, ReadError) as error:
        logs = it.settings.data_dir / "logs"
        it.say(f"error: {error}; look again with `sluicegate sessions list`, the parts' logs are in {logs}")
        return 1
    finally:
        await reader.close()
    it.console.rule("where to look next")
    steps = next_steps(it.settings, it.config, shown["session_id"], denied)
    it.console.print(steps, highlight=False, markup=False, soft_wrap=True)
    return 0


def run(*, leave: bool = False, config: Path = DEFAULT_FILE) -> int:
    """`sluicegate demo`: what `demo` does, with the configuration in `config`, which is written when missing.

    Raises Failure for a configuration that is wrong or has no place for the demo.
    """
    from sinks.client import open_reader  # noqa: PLC0415 (see sluicegate.cli)

    if written := write_config(config):
        plain_say(f"wrote {' and '.join(map(str, written))}, which the demo runs with")
    settings = settings_of(config, files=True)
    it = Demo(
        settings=settings,
        config=config,
        run_stack=lambda first, listens: stack.run_stack(settings, config, first=first, listens=listens),
        open_reader=lambda: open_reader(settings.sink_settings()),
        say=plain_say,
        console=Console(),
    )

    with told(DemoError):
        return asyncio.run(demo(it, leave=leave))


async def _ended(task: "asyncio.Future[int]") -> None:
    """Cancel what still runs and wait for its end; what it raised is raised where its result is asked for."""
    task.cancel()
    await asyncio.wait({task})
