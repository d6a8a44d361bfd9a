"""Credentials in the whole gateway: what upstream sees, what the client gets, and what the trail holds."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.settings import ClientCredentials, ClientsOwn, Connection, FixedCredential, SecretSource
from schemas.frames import FrameRecorded
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Upstream, demo, served
from tests.gateway.credentials.provider import Provider, answering
from tests.support.certificates import Authority, server_context
from tests.support.trail import frames_of, read_frames

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pods_list", "arguments": {}}}
THEIRS = "theirs-71cde0"
OURS = "ours-c01f9a"
SENT = {"Authorization": f"Bearer {THEIRS}", "X-Api-Key": THEIRS, "Cookie": f"session={THEIRS}"}


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def called(
    client: aiohttp.ClientSession, kafka: KafkaAddress, connection: Connection
) -> tuple[int, dict[str, object], list[FrameRecorded]]:
    """Status and body of one call, and its frames on the trail; no metric or frame of which holds a secret."""
    async with served(kafka, connection) as gateway:
        async with client.post(gateway.url(), json=CALL, headers=SENT) as response:
            status, body = response.status, await response.text()
        async with client.get(f"http://127.0.0.1:{gateway.port}/metrics") as response:
            metrics = await response.text()
        recorded = await read_frames(kafka.bootstrap)
        last = max(recorded, key=lambda row: row.frame["recorded_at"]).frame["exchange_id"]
        frames = await frames_of(kafka.bootstrap, str(last))
    everything = f"{metrics}{body}{[row.frame for row in recorded]}"
    assert OURS not in everything
    assert THEIRS not in everything
    return status, json.loads(body), frames


def with_file(upstream: Upstream, file: Path) -> Connection:
    credential = FixedCredential("bearer", SecretSource(file=file))
    return replace(demo(upstream), credential=credential)


async def test_abuse_60_upstream_sees_our_credential_and_none_of_the_clients(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(OURS)
    status, _, frames = await called(client, kafka, with_file(upstream, tmp_path / "secret"))
    assert status == 200
    assert THEIRS.encode() not in upstream.seen
    assert upstream.seen.count(f"authorization: Bearer {OURS}\r\n".encode()) == 1
    assert "authorization: [masked:credential]" in str(frames[0]["http_headers"])


async def test_abuse_60_without_a_credential_of_ours_the_clients_goes_nowhere_either(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    status, _, _ = await called(client, kafka, demo(upstream))
    assert status == 200
    assert THEIRS.encode() not in upstream.seen
    assert b"authorization" not in upstream.seen


async def test_the_clients_own_goes_on_where_the_connection_says_so(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    status, _, _ = await called(client, kafka, replace(demo(upstream), credential=ClientsOwn()))
    assert status == 200
    assert f"authorization: Bearer {THEIRS}\r\n".encode() in upstream.seen


async def test_g3_a_secret_that_cannot_be_read_is_a_502_on_record_and_upstream_sees_nothing(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream, tmp_path: Path
) -> None:
    status, body, frames = await called(client, kafka, with_file(upstream, tmp_path / "gone"))
    error = body["error"]
    assert isinstance(error, dict)
    assert (status, error["data"]["reason"]) == (502, "credential_unavailable")
    assert str(tmp_path) not in str(body)
    assert not upstream.seen
    assert [frame["reason_code"] for frame in frames] == ["", "credential_unavailable"]
    assert frames[-1]["outcome"] == "upstream_failed"


async def test_a_provider_that_refuses_is_a_502_on_record_and_upstream_sees_nothing(
    client: aiohttp.ClientSession,
    kafka: KafkaAddress,
    upstream: Upstream,
    tokens: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROVIDER_SECRET", OURS)
    tokens.behave = answering(401, error="invalid_client")
    credential = ClientCredentials(tokens.url, "gateway", SecretSource(env="PROVIDER_SECRET"))
    status, body, frames = await called(client, kafka, replace(demo(upstream), credential=credential))
    assert status == 502
    assert not upstream.seen
    assert frames[-1]["reason_code"] == "credential_unavailable"
    assert "refused: invalid_client" in f"{frames[-1]['reason']} {body}"


async def test_a_token_of_the_provider_goes_upstream(
    client: aiohttp.ClientSession,
    kafka: KafkaAddress,
    upstream: Upstream,
    tokens: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROVIDER_SECRET", OURS)
    credential = ClientCredentials(tokens.url, "gateway", SecretSource(env="PROVIDER_SECRET"))
    status, _, _ = await called(client, kafka, replace(demo(upstream), credential=credential))
    assert status == 200
    assert b"authorization: Bearer token-1\r\n" in upstream.seen


async def test_the_user_agent_names_the_exchange_of_the_trail(
    client: aiohttp.ClientSession, kafka: KafkaAddress, upstream: Upstream
) -> None:
    _, _, frames = await called(client, kafka, replace(demo(upstream), trace_user_agent=True))
    named = f" sluicegate-exchange/{frames[0]['exchange_id']}\r\n".encode()
    assert named in upstream.seen


async def test_abuse_33_an_upstream_of_an_unknown_authority_is_a_502_on_record(
    client: aiohttp.ClientSession, kafka: KafkaAddress, authority: Authority
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("a request came through")

    server = await asyncio.start_server(
        never, "127.0.0.1", 0, ssl=server_context(authority.issue("127.0.0.1"))
    )
    port = server.sockets[0].getsockname()[1]
    async with server:
        connection = Connection("demo", upstream=f"https://127.0.0.1:{port}/mcp")
        status, _, frames = await called(client, kafka, connection)
    assert status == 502
    assert (frames[-1]["outcome"], frames[-1]["reason_code"]) == ("upstream_failed", "upstream_unreachable")
    assert "its certificate: unable to get local issuer certificate" in frames[-1]["reason"]
