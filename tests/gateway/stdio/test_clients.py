"""The official client through the whole gateway to a server of the official SDK over stdio, in both eras."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
import pytest_asyncio
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ToolsListChanged
from mcp_types import ElicitResult, ToolListChangedNotification

from gateway.settings import Connection
from schemas.kafka import KafkaAddress, ensure_topics
from tests.gateway.conftest import Served, served
from tests.gateway.stdio.conftest import MODERN, until
from tests.support.trail import check_lanes, frames_of, read_frames

SERVER = Path(__file__).with_name("server.py")
pytestmark = pytest.mark.asyncio(loop_scope="module")
MODES = ["legacy", "auto", MODERN]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(broker: str) -> KafkaAddress:
    """A broker with its topics."""
    address = KafkaAddress(broker, embedded=True)
    await ensure_topics(address)
    return address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(kafka: KafkaAddress) -> AsyncIterator[Served]:
    """A gateway before two programs; `old` knows only the eras with a handshake."""
    command = (sys.executable, str(SERVER))
    new, old = Connection("new", command=command), Connection("old", command=(*command, "--legacy"))
    async with served(kafka, new, old) as running:
        yield running
    assert programs() == 0


def programs() -> int:
    """How many of the servers run."""
    found = 0
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found += str(SERVER) in child.cmdline()
    return found


@asynccontextmanager
async def connected(
    gateway: Served, mode: str, connection: str = "new", **options: Any
) -> AsyncIterator[Client]:
    """The official client."""
    async with Client(gateway.url(connection), mode=mode, **options) as client:
        yield client


async def text(client: Client, tool: str, arguments: dict[str, Any] | None = None, **options: Any) -> str:
    """What a tool says."""
    result = await client.call_tool(tool, arguments or {}, **options)
    assert not result.is_error
    said: str = result.content[0].text  # type: ignore[union-attr]
    return said


async def sure(*_: Any) -> ElicitResult:
    """The person says yes."""
    return ElicitResult(action="accept", content={"sure": True})


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_works_with_a_program_as_with_a_server(
    gateway: Served, mode: str, kafka: KafkaAddress
) -> None:
    before = programs()
    told: list[float] = []

    async def progress(done: float, _total: float | None, _message: str | None) -> None:
        told.append(done)

    async with connected(gateway, mode, elicitation_callback=sure) as client:
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else MODERN)
        assert len((await client.list_tools()).tools) == 6
        assert await text(client, "echo", {"text": "a\n\r\u2028é€😀"}) == "a\n\r\u2028é€😀"
        assert await text(client, "count", {"to": 3}, progress_callback=progress) == "counted to 3"
        assert await text(client, "ask") == "sure"
        some = await asyncio.gather(*(text(client, "echo", {"text": str(n)}) for n in range(20)))
        assert some == [str(n) for n in range(20)]
        assert programs() == max(before, 1)
    assert told == [1, 2, 3]
    if mode == "legacy":  # the client's DELETE has ended its session
        await until(lambda: programs() == before)
    assert check_lanes(await read_frames(kafka.bootstrap)) > 0


async def test_a_client_falls_back_when_the_program_knows_no_discovery(gateway: Served) -> None:
    async with connected(gateway, "auto", "old") as client:
        assert client.protocol_version == "2025-11-25"
        assert await text(client, "echo", {"text": "x"}) == "x"


async def test_what_a_program_says_of_itself_reaches_the_get_stream(gateway: Served) -> None:
    changed = asyncio.Event()

    async def hears(message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            changed.set()

    async with connected(gateway, "legacy", message_handler=hears) as client:
        await text(client, "change")
        async with asyncio.timeout(30):
            await changed.wait()


async def test_a_subscription_hears_of_a_change_that_another_request_makes(gateway: Served) -> None:
    async with connected(gateway, MODERN) as client, client.listen(tools_list_changed=True) as changes:
        assert await text(client, "change") == "changed"
        async with asyncio.timeout(30):
            assert await anext(changes) == ToolsListChanged()


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_a_cancelled_call_is_cancelled_in_the_program(
    gateway: Served, mode: str, tmp_path: Path
) -> None:
    started, cancelled = tmp_path / "started", tmp_path / "cancelled"
    async with connected(gateway, mode) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "wait", {"started": str(started), "cancelled": str(cancelled)})
            await until(started.exists)
            group.cancel_scope.cancel()
        await until(cancelled.exists)
        assert await text(client, "echo", {"text": "still here"}) == "still here"


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_the_death_of_a_program_is_told_and_recorded(
    gateway: Served, mode: str, kafka: KafkaAddress
) -> None:
    async with connected(gateway, mode) as client:
        with pytest.raises(MCPError, match="its program ended with status 3") as broken:
            await client.call_tool("die", {})
        assert broken.value.error.data["reason"] == "upstream_broke"
    frames = await frames_of(kafka.bootstrap, broken.value.error.data["exchange_id"], until=2)
    assert [frame["outcome"] for frame in frames] == ["pending", "upstream_failed"]
