"""What an operator ends is over on every replica within 2 s, streams too; session tokens live and die."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from urllib.parse import urlencode

import aiohttp
import pytest

from gateway.edge.announce import Announcer, stamp
from gateway.settings import Access
from schemas.control import principal_blocked, session_killed
from tests.gateway.callers.conftest import PUBLIC_URL, Callers, Desk, Open

STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'
)


async def reading(gate: Desk, headers: dict[str, str], begun: asyncio.Event) -> bytes:
    """All that a stream says until it is cut."""
    said = b""
    async with gate.client.post(gate.gate.url(), json={}, headers=headers) as response:
        with suppress(aiohttp.ClientError):
            async for chunk in response.content.iter_any():
                said += chunk
                begun.set()
    return said


@pytest.mark.parametrize("what", ["block", "kill"])
async def test_a_block_or_a_kill_ends_open_streams_within_two_seconds_and_bars_what_follows(
    desk: Open, callers: Callers, what: str
) -> None:
    subject = f"mallory-{what}"
    headers = callers.headers(subject)
    async with desk() as gate:
        gate.upstream.answer = STREAM
        begun = asyncio.Event()
        stream = asyncio.create_task(reading(gate, headers, begun))
        await asyncio.wait_for(begun.wait(), 10)
        (frame, *_) = await gate.last_frames(2)
        record = (
            principal_blocked(stamp(), "", subject, by="test", reason="an incident")
            if what == "block"
            else session_killed(stamp(), str(frame["session_id"]), by="test", reason="an incident")
        )
        announcer = Announcer(gate.kafka)
        announcer.start()
        asked = time.monotonic()
        assert await announcer.control(record["target"], record)
        said = await asyncio.wait_for(stream, 5)
        took = time.monotonic() - asked
        status, _, body = await gate.ask(headers)
        frames = await gate.last_frames()
        assert await announcer.control(record["target"], None)
        await announcer.stop()
    reason = "principal_blocked" if what == "block" else "session_killed"
    assert took < 2
    assert reason.encode() in said
    assert (status, body["error"]["data"]["reason"], frames[0]["reason_code"]) == (403, reason, reason)


async def exchanged(gate: Desk, token: str, **more: str) -> tuple[int, dict[str, str]]:
    """What `POST /token` answers."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": f"{PUBLIC_URL}/mcp/demo",
        **more,
    }
    url = f"http://127.0.0.1:{gate.gate.port}/token"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with gate.client.post(url, data=urlencode(form), headers=headers) as response:
        return response.status, await response.json()


async def test_a_session_token_is_good_for_its_connection_until_it_is_taken_back(
    desk: Open, callers: Callers
) -> None:
    async with desk() as gate:
        status, given = await exchanged(gate, callers.token("alice", "sre"), purpose="incident 4711")
        own = {"Authorization": f"Bearer {given['access_token']}"}
        used, _, _ = await gate.ask(own)
        (asked, _) = await gate.last_frames(2)
        url = f"http://127.0.0.1:{gate.gate.port}/token/revoke"
        async with gate.client.post(url, data={"token": given["access_token"]}) as response:
            revoked = response.status
        async with asyncio.timeout(2):
            while (await gate.ask(own))[0] != 401:
                await asyncio.sleep(0.05)
        _, headers, _ = await gate.ask(own)
    assert (status, used, revoked) == (200, 200, 200)
    assert 'error="invalid_token"' in headers["WWW-Authenticate"]
    assert (asked["principal_subject"], asked["principal_groups"]) == ("alice", ["sre"])
    assert asked["attributes"]["purpose"] == "incident 4711"


async def test_a_session_token_is_not_given_to_who_may_not_use_the_connection(
    desk: Open, callers: Callers
) -> None:
    async with desk(access=Access(groups=("sre",))) as gate:
        refused, _ = await exchanged(gate, callers.token("bob", "dev"))
        given, _ = await exchanged(gate, callers.token("alice", "sre"))
    assert (refused, given) == (400, 200)
