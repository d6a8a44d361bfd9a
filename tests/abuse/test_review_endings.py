"""What happens in the midst of an exchange ends it with the truth: blocks, revocations, faults of our own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.edge.announce import Announcer, stamp
from schemas.control import ControlRecord, principal_blocked, token_revoked
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.abuse.identified import bearer, identified
from tests.abuse.raw import Answer, Socket, connected
from tests.gateway.conftest import Served, Upstream, demo
from tests.support.trail import frames_of, read_frames

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{}}}'
Tell = Callable[[ControlRecord], Awaitable[None]]


def request(token: str, *headers: bytes, body: bytes = CALL, length: int | None = None) -> bytes:
    """A POST by whoever's token it is."""
    lines = [
        b"POST /mcp/demo HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Authorization: " + token.encode(),
        b"Content-Length: %d" % (len(body) if length is None else length),
        *(headers or (b"Content-Type: application/json",)),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture
async def tell(kafka: KafkaAddress) -> AsyncIterator[Tell]:
    """Puts records on topic `control`, and takes them back at the end."""
    announcer = Announcer(kafka)
    announcer.start()
    told: list[str] = []

    async def put(record: ControlRecord) -> None:
        told.append(record["target"])
        assert await announcer.control(record["target"], record)

    yield put
    for target in told:
        assert await announcer.control(target, None)
    await announcer.stop()


def block(subject: str) -> ControlRecord:
    return principal_blocked(stamp(), "", subject, by="test", reason="an incident")


async def is_blocked(gate: Served, subject: str) -> None:
    """Waits until the gateway knows of it."""
    async with asyncio.timeout(30):
        while not any(r["subject"] == subject for r in gate.gateway.control.records()):
            await asyncio.sleep(0.01)


async def frames_by(kafka: KafkaAddress, subject: str) -> list[FrameRecorded]:
    """What is recorded of somebody, until now."""
    return [r.frame for r in await read_frames(kafka.bootstrap) if r.frame["principal_subject"] == subject]


async def refused(client: Socket, status: int, reason: str) -> tuple[Answer, str]:
    """The answer, which must be this refusal, and its text."""
    answer = await client.answer()
    assert (answer.status, answer.reason_code) == (status, reason), answer.body
    return answer, str(json.loads(answer.body)["error"]["message"])


@pytest.mark.parametrize(
    "said",
    [
        b"application/json; charset=utf-7",
        b'application/json;CHARSET="utf-16le"',
        b"application/json; charset = latin1",
        b"application/json; charset=utf-8; charset=utf-7",
        b"application/json; charset*=utf-7''x",
    ],
)
async def test_a_body_in_another_charset_than_policy_reads_is_refused(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, said: bytes
) -> None:
    hidden = CALL.replace(b'"t"', b'"run+AF8-it"')
    async with identified(kafka, tmp_path, demo(upstream)) as gate, connected(gate) as client:
        await client.send(request(bearer("alice"), b"Content-Type: " + said, body=hidden))
        answer, _ = await refused(client, 415, "charset_not_utf8")
        (frame,) = await frames_of(kafka.bootstrap, answer.exchange_id)
    assert upstream.requests == 0
    assert (frame["outcome"], frame["reason_code"], frame["http_status"]) == (
        "refused",
        "charset_not_utf8",
        415,
    )


async def test_a_block_that_comes_while_the_body_is_on_its_way_is_in_time(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, tell: Tell
) -> None:
    async with identified(kafka, tmp_path, demo(upstream)) as gate, connected(gate) as client:
        await client.send(request(bearer("slow-sam"), body=CALL[:10], length=len(CALL)))
        await tell(block("slow-sam"))
        await is_blocked(gate, "slow-sam")
        await client.send(CALL[10:])
        answer, text = await refused(client, 403, "principal_blocked")
        (frame,) = await frames_of(kafka.bootstrap, answer.exchange_id)
    assert text.startswith("not executed: ")
    assert upstream.requests == 0
    assert (frame["outcome"], frame["principal_subject"]) == ("refused", "slow-sam")


async def test_a_block_after_upstream_has_got_the_request_does_not_say_that_it_was_not_executed(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, tell: Tell
) -> None:
    upstream.may_answer.clear()
    async with identified(kafka, tmp_path, demo(upstream)) as gate, connected(gate) as client:
        await client.send(request(bearer("late-lou")))
        await asyncio.wait_for(upstream.asked.wait(), 10)
        await tell(block("late-lou"))
        answer, text = await refused(client, 403, "principal_blocked")
        frames = await frames_of(kafka.bootstrap, answer.exchange_id, until=2)
    assert text.startswith("it may have been executed, result withheld: this principal is blocked")
    assert [frame["outcome"] for frame in frames] == ["pending", "withheld"]
    assert frames[-1]["reason"] == text


async def test_a_request_that_waits_for_its_turn_is_not_sent_once_its_caller_is_blocked(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, tell: Tell
) -> None:
    upstream.may_answer.clear()
    narrow = replace(demo(upstream), connections_max=1)
    async with (
        identified(kafka, tmp_path, narrow) as gate,
        connected(gate) as first,
        connected(gate) as second,
    ):
        await first.send(request(bearer("alice")))
        await asyncio.wait_for(upstream.asked.wait(), 10)
        await second.send(request(bearer("queuing-quinn")))
        async with asyncio.timeout(30):
            while not await frames_by(kafka, "queuing-quinn"):
                await asyncio.sleep(0.01)
        await tell(block("queuing-quinn"))
        answer, _ = await refused(second, 403, "principal_blocked")
        frames = await frames_of(kafka.bootstrap, answer.exchange_id, until=2)
        upstream.may_answer.set()
        assert (await first.answer()).status == 200
    assert upstream.requests == 1
    assert frames[-1]["outcome"] == "withheld"


async def test_a_stream_ends_when_its_token_is_taken_back(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, tell: Tell
) -> None:
    upstream.answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {}\n\n"
    token = bearer("streaming-tina")
    async with identified(kafka, tmp_path, demo(upstream)) as gate, connected(gate) as client:
        await client.send(request(token))
        assert b"200 OK" in await client.reader.readuntil(b"\r\n\r\n")
        frame, *_ = await frames_by(kafka, "streaming-tina")
        jti = str(dict(frame["attributes"])["credential.id"])
        await tell(token_revoked(stamp(), jti, by="test", reason="lost", expires_at=2**52))
        rest = await client.ended()
        frames = await frames_of(kafka.bootstrap, str(frame["exchange_id"]), until=3)
    assert b"invalid_token" in rest
    assert b"it may have been executed, result withheld" in rest
    assert (frames[-1]["outcome"], frames[-1]["reason_code"]) == ("withheld", "invalid_token")


@pytest.mark.parametrize("within", ["before", "after"])
async def test_a_fault_of_the_gateway_itself_ends_the_exchange_on_the_trail(
    kafka: KafkaAddress, tmp_path: Path, upstream: Upstream, within: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("secret-value")

    async with identified(kafka, tmp_path, demo(upstream)) as gate, connected(gate) as client:
        law = gate.gateway._routes["demo"].terms.law
        monkeypatch.setattr(law, "judge" if within == "before" else "passage", fails)
        await client.send(request(bearer("alice")))
        answer, text = await refused(client, 500, "gateway_failed")
        frames = await frames_of(kafka.bootstrap, answer.exchange_id, until=1 if within == "before" else 2)
    assert b"secret-value" not in answer.body
    assert text.startswith("not executed" if within == "before" else "it may have been executed")
    assert upstream.requests == (within == "after")
    assert frames[-1]["outcome"] == ("refused" if within == "before" else "withheld")
    assert frames[-1]["reason_code"] == "gateway_failed"
