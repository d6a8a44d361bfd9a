"""What the official client really does while its call is held, in both eras."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client import ClientRequestContext, InputRequiredRoundsExceededError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    ErrorData,
    TextContent,
)

from tests.gateway.test_official_client import ERAS
from tests.gateway.waiting.door import Door, held_door

PAGE = "https://approvals.example/a/1"
both = pytest.mark.parametrize("era", ERAS)


def client(door: Door, era: str, **settings: Any) -> Client:
    """The official client, not yet connected."""
    return Client(door.url, mode=ERAS[era], **{"read_timeout_seconds": 20, **settings})


def text(result: CallToolResult) -> str:
    """What a tool said."""
    content = result.content[0]
    assert isinstance(content, TextContent)
    return content.text


@both
async def test_it_waits_through_keep_alives_and_progress_and_takes_the_answer(era: str) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    async with held_door() as door, client(door, era) as calling:
        call = asyncio.create_task(calling.call_tool("add", {"a": 2, "b": 3}, progress_callback=note))
        await door.until("beats", 4)
        assert not call.done()
        await door.decide("approved")
        result = await call
    assert (text(result), result.is_error) == ("5", False)
    assert door.manners == ["stream"]
    assert len(seen) >= 3
    assert seen == [(float(n), 900.0, "waiting for a person") for n in range(1, len(seen) + 1)]


@both
async def test_it_waits_without_asking_for_progress(era: str) -> None:
    async with held_door() as door, client(door, era) as calling:
        call = asyncio.create_task(calling.call_tool("add", {"a": 2, "b": 3}))
        await door.until("beats", 4)
        await door.decide("approved")
        assert text(await call) == "5"


@both
async def test_it_takes_upstreams_progress_after_ours_although_it_begins_anew(era: str) -> None:
    seen: list[float] = []

    async def note(progress: float, *_: object) -> None:
        seen.append(progress)

    async with held_door(tool="count") as door, client(door, era) as calling:
        call = asyncio.create_task(calling.call_tool("count", {"to": 2}, progress_callback=note))
        await door.until("beats", 3)
        await door.decide("approved")
        assert text(await call) == "counted"
    assert seen[:3] == [1, 2, 3]
    assert seen[-2:] == [1, 2]


@both
async def test_it_takes_a_denial_on_the_stream_as_a_tools_error(era: str) -> None:
    async with held_door() as door, client(door, era) as calling:
        call = asyncio.create_task(calling.call_tool("add", {"a": 2, "b": 3}))
        await door.until("beats", 1)
        await door.decide("denied", comment="not today", approvers=("https://idp|sue",))
        result = await call
    assert result.is_error
    assert text(result).startswith("Not executed: denied by sue: not today.")
    assert all(b'"tools/call"' not in sent for sent in door.forwarded)


@both
@pytest.mark.parametrize("silent", [False, True])
async def test_keep_alives_are_what_keeps_its_transport_from_giving_up(era: str, silent: bool) -> None:
    """Its HTTP client ends a stream that is silent for 300 s; here for one."""
    http = httpx2.AsyncClient(timeout=httpx2.Timeout(5, read=1))
    async with held_door(silent=silent) as door, http:
        through = streamable_http_client(door.url, http_client=http)
        async with Client(through, mode=ERAS[era]) as calling:
            call = asyncio.create_task(calling.call_tool("add", {"a": 2, "b": 3}))
            if silent:
                with pytest.raises(MCPError):
                    await call
                return
            await door.until("beats", 40)  # two seconds
            await door.decide("approved")
            assert text(await call) == "5"


@both
async def test_its_own_deadline_is_not_moved_by_progress_and_then_it_leaves(era: str) -> None:
    async def note(*_: object) -> None:
        pass

    async with held_door() as door, client(door, era) as calling:
        with pytest.raises(MCPError, match="timed out"):
            await calling.call_tool("add", {"a": 2, "b": 3}, read_timeout_seconds=0.5, progress_callback=note)
        assert door.beats > 3
        if era == "2026-07-28":  # closing the stream is how it cancels
            await door.until("left", 1)
        else:  # a message of its own says so, and the stream stays open
            await door.until("cancelled", 1)
            await door.until("beats", door.beats + 5)
            assert door.left == 0
        await door.decide("approved")
        assert text(await calling.call_tool("add", {"a": 2, "b": 3})) == "5"


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_it_opens_the_page_comes_back_with_the_state_and_waits_on_its_stream(action: Any) -> None:
    pages: list[ElicitRequestParams] = []

    async def answer(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        pages.append(params)
        return ElicitResult(action=action)

    async with (
        held_door(page=PAGE) as door,
        client(door, "2026-07-28", elicitation_callback=answer) as calling,
    ):
        call = asyncio.create_task(calling.call_tool("add", {"a": 2, "b": 3}))
        await door.until("beats", 3)
        await door.decide("approved")
        assert text(await call) == "5"
    [page] = pages
    assert isinstance(page, ElicitRequestURLParams)
    assert page.url == PAGE
    assert "sums are held" in page.message
    assert (door.manners, door.pages_taken) == (["elicit", "stream"], [action])
    assert b"requestState" not in door.forwarded[-1]
    assert b"inputResponses" not in door.forwarded[-1]


async def test_sent_to_the_page_again_and_again_it_gives_up_after_ten_rounds_without_a_pause() -> None:
    """So who comes back has to be kept waiting on the stream."""

    async def answer(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action="accept")

    async with (
        held_door(page=PAGE, nagging=True) as door,
        client(door, "2026-07-28", elicitation_callback=answer) as calling,
    ):
        with pytest.raises(InputRequiredRoundsExceededError):
            await calling.call_tool("add", {"a": 2, "b": 3})
    assert door.manners == ["elicit"] * 11


async def test_a_callback_that_knows_no_pages_ends_the_call_at_the_client_which_may_repeat_it() -> None:
    async def refuse(_: ClientRequestContext, params: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=-32602, message="forms only")

    async with (
        held_door(page=PAGE) as door,
        client(door, "2026-07-28", elicitation_callback=refuse) as calling,
    ):
        with pytest.raises(MCPError, match="forms only"):
            await calling.call_tool("add", {"a": 2, "b": 3})
    assert door.manners == ["elicit"]


@both
async def test_who_is_told_to_come_back_reads_it_and_its_repeated_call_goes_through(era: str) -> None:
    async with held_door(polling=True) as door, client(door, era) as calling:
        told = await calling.call_tool("add", {"a": 2, "b": 3})
        assert told.is_error
        assert "Repeat the same call in 1 s: it finds this approval." in text(told)
        assert (told.meta or {})["sluicegate/refusal"]["reason"] == "approval_pending"
        await door.decide("approved")
        assert text(await calling.call_tool("add", {"a": 2, "b": 3})) == "5"


async def test_without_a_callback_it_declares_no_elicitation_and_is_streamed_to() -> None:
    async with held_door(page=PAGE) as door, client(door, "2026-07-28") as calling:
        await door.decide("approved")
        assert text(await calling.call_tool("add", {"a": 2, "b": 3})) == "5"
    assert door.manners == ["stream"]


async def test_the_older_era_is_never_sent_to_a_page() -> None:
    async def answer(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        raise AssertionError(params)

    async with (
        held_door(page=PAGE) as door,
        client(door, "2025-11-25", elicitation_callback=answer) as calling,
    ):
        await door.decide("approved")
        assert text(await calling.call_tool("add", {"a": 2, "b": 3})) == "5"
    assert door.manners == ["stream"]
