"""Nobody gets past the gateway unknown, and what is known of a caller is on the record."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import aiohttp
from aiokafka import AIOKafkaConsumer

from gateway.settings import Access, Quota, Rate
from schemas.codec import codec
from tests.abuse.raw import Socket
from tests.gateway.callers.conftest import PUBLIC_URL, Callers, Desk, Open


async def test_a_known_caller_is_served_and_named_in_the_trail(desk: Open, callers: Callers) -> None:
    async with desk() as gate:
        status, _, _ = await gate.ask(callers.headers("alice", "sre", email="alice@example.com"))
        asked, answered = await gate.last_frames(2)
    assert status == 200
    for frame in (asked, answered):
        assert (frame["principal_subject"], frame["principal_groups"]) == ("alice", ["sre"])
        assert frame["attributes"]["principal.email"] == "alice@example.com"
        assert frame["attributes"]["credential.id"].startswith("alice-")


async def test_abuse_61_a_caller_without_a_token_is_shown_the_way_to_one(desk: Open) -> None:
    async with desk() as gate:
        status, headers, body = await gate.ask({})
        (frame,) = await gate.last_frames()
        metadata = f"http://127.0.0.1:{gate.gate.port}/.well-known/oauth-protected-resource/mcp/demo"
        async with gate.client.get(metadata) as response:
            document = await response.json()
    assert status == 401
    assert (
        f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp/demo"'
        in headers["WWW-Authenticate"]
    )
    assert document["resource"] == f"{PUBLIC_URL}/mcp/demo"
    assert body["error"]["data"]["reason"] == "unauthenticated"
    assert (frame["outcome"], frame["reason_code"], frame["body"]) == ("refused", "unauthenticated", b"")
    assert not gate.upstream.seen


async def test_abuse_61_a_token_for_another_resource_is_401_and_a_missing_scope_403(
    desk: Open, callers: Callers
) -> None:
    async with desk() as gate:
        status, headers, _ = await gate.ask(callers.headers("alice", aud="https://other.example"))
        (frame,) = await gate.last_frames()
    assert status == 401
    assert "resource_metadata=" in headers["WWW-Authenticate"]
    assert frame["reason_code"] == "invalid_token"
    assert not gate.upstream.seen


async def test_abuse_14_a_bad_token_is_refused_before_the_body_is_asked_for(desk: Open) -> None:
    async with desk() as gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.gate.port)
        socket = Socket(reader, writer)
        await socket.send(
            b"POST /mcp/demo HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer nonsense\r\n"
            b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"
        )
        answer = await socket.answer()
        (frame,) = await gate.last_frames()
        writer.close()
    assert (answer.status, socket.early) == (401, [])
    assert frame["reason_code"] == "invalid_token"
    assert not gate.upstream.seen


async def test_abuse_60_the_clients_token_never_goes_upstream(desk: Open, callers: Callers) -> None:
    headers = callers.headers("alice")
    token = headers["Authorization"].removeprefix("Bearer ")
    async with desk() as gate:
        await gate.ask(headers)
        frames = await gate.last_frames(2)
    assert token.encode() not in gate.upstream.seen
    assert b"authorization" not in bytes(gate.upstream.seen).lower()
    assert all(token not in str(frame) for frame in frames)


async def test_a_caller_outside_the_groups_of_a_connection_is_refused_on_record(
    desk: Open, callers: Callers
) -> None:
    async with desk(access=Access(groups=("sre",))) as gate:
        allowed, _, _ = await gate.ask(callers.headers("alice", "sre"))
        gate.upstream.seen.clear()
        refused, _, _ = await gate.ask(callers.headers("bob", "dev"))
        (frame,) = await gate.last_frames()
    assert (allowed, refused) == (200, 403)
    assert (frame["principal_subject"], frame["reason_code"]) == ("bob", "connection_not_allowed")
    assert not gate.upstream.seen


async def test_a_condition_on_access_is_computed_for_each_caller(desk: Open, callers: Callers) -> None:
    async with desk(access=Access(when="principal.email.endsWith('@example.com')")) as gate:
        allowed, _, _ = await gate.ask(callers.headers("alice"))
        refused, _, _ = await gate.ask(callers.headers("eve", email="eve@example.org"))
    assert (allowed, refused) == (200, 403)


async def test_abuse_26_a_flood_by_one_caller_is_429_with_retry_after_and_others_are_unaffected(
    desk: Open, callers: Callers
) -> None:
    async with desk(quota=Quota(rate=Rate(0.1, 3))) as gate:
        alice = callers.headers("alice")
        statuses = [(await gate.ask(alice))[0] for _ in range(3)]
        status, headers, _ = await gate.ask(alice)
        (frame,) = await gate.last_frames()
        other, _, _ = await gate.ask(callers.headers("bob"))
    assert (statuses, status, other) == ([200] * 3, 429, 200)
    assert 1 <= int(headers["Retry-After"]) <= 10
    assert frame["reason_code"] == "rate_limited"
    assert gate.upstream.requests == 4


async def test_concurrency_is_bounded_by_caller(desk: Open, callers: Callers) -> None:
    async with desk(quota=Quota(concurrent=1)) as gate:
        gate.upstream.may_answer.clear()
        alice = callers.headers("alice")
        waiting = asyncio.create_task(gate.ask(alice))
        await gate.upstream.asked.wait()
        refused, _, _ = await gate.ask(alice)
        gate.upstream.may_answer.set()
        first, _, _ = await waiting
        again, _, _ = await gate.ask(alice)
    assert (refused, first, again) == (429, 200, 200)


async def test_abuse_59_a_session_belongs_to_the_principal_it_was_opened_by(
    desk: Open, callers: Callers
) -> None:
    async with desk() as gate:
        gate.upstream.answer = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: upstream-1\r\n"
            b"content-length: 2\r\n\r\n{}"
        )
        alice, bob = callers.headers("alice"), callers.headers("bob")
        _, headers, _ = await gate.ask(alice, {"jsonrpc": "2.0", "id": 1, "method": "initialize"})
        session = headers["mcp-session-id"]
        gate.upstream.seen.clear()
        own, _, _ = await gate.ask({**alice, "Mcp-Session-Id": session})
        seen = bytes(gate.upstream.seen)
        gate.upstream.seen.clear()
        others, _, body = await gate.ask({**bob, "Mcp-Session-Id": session})
        (frame,) = await gate.last_frames()
        bare, _, _ = await gate.ask({**bob, "Mcp-Session-Id": "upstream-1"})
        nobody, _, _ = await gate.ask({"Mcp-Session-Id": session})
    assert session != "upstream-1"
    assert b"mcp-session-id: upstream-1\r\n" in seen
    assert (own, others, bare, nobody) == (200, 404, 404, 401)
    assert body["error"]["data"]["reason"] == frame["reason_code"] == "session_not_yours"
    assert not gate.upstream.seen
    await raised(gate, "session-not-yours", str(frame["exchange_id"]))


async def raised(gate: Desk, rule: str, exchange_id: str) -> None:
    """Waits until a finding of `rule` names the exchange."""
    consumer = AIOKafkaConsumer(
        "findings", bootstrap_servers=gate.kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            async for record in consumer:
                finding = codec("finding").decode(record.value)
                if finding["rule"] == rule and f"exchange {exchange_id}" in finding["evidence"]:
                    return
    finally:
        await consumer.stop()


async def test_abuse_48_a_stream_ends_with_the_token_it_was_opened_with(desk: Open, callers: Callers) -> None:
    async with desk() as gate:
        gate.upstream.answer = (
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
            b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'
        )
        headers = callers.headers("alice", seconds=5)
        async with gate.client.post(gate.gate.url(), json={}, headers=headers) as response:
            said = b""
            with suppress(aiohttp.ClientError):  # the stream is cut, so that it does not look whole
                async for chunk in response.content.iter_any():
                    said += chunk
        frames = await gate.last_frames(3)
    assert b"token_expired" in said
    assert (frames[-1]["outcome"], frames[-1]["reason_code"]) == ("withheld", "token_expired")
    assert json.loads(said.split(b"data: ")[-1])["error"]["data"]["reason"] == "token_expired"
