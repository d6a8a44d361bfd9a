"""A tool call, and the Kubernetes requests that the MCP server behind it sends through the gateway, are one tree.

Real parts: the official client, a server made with the official SDK that hands its caller's User-Agent and
Authorization on (as kubernetes-mcp-server does), a gateway with tokens and rules, Kafka, the store. The API server
alone is made up.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx2
import pytest
import uvicorn
from aiohttp import web
from aiokafka import AIOKafkaConsumer
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import Context, MCPServer

from gateway.settings import (
    Access,
    Connection,
    ConnectionKind,
    FixedCredential,
    IdentitySettings,
    Issuer,
    OwnSessionToken,
    SecretSource,
    SessionTokens,
)
from schemas.frames import audit_value, open_frame
from schemas.kafka import KafkaAddress
from sinks.readers import Branch
from sinks.sql_reader import SqlReader
from sluicegate.cli.tree import cells
from tests.gateway.conftest import Served, served
from tests.gateway.identity.minting import Mint, jwk, jwks, rsa_key
from tests.sinks.filling import fill
from tests.sinks.shared_store import embedded_store

PUBLIC_URL = "https://gate.example.com"
ISSUER = "https://id.example.com"
PASSWORD = "correct-horse-battery-staple"
POLICY = """
default: allow
rules:
  - name: deletes-in-prod
    when: kubernetes.verb == "delete" && kubernetes.namespace == "prod"
    hold: {reviewers: [owners], reason: a pod of production would be gone}
"""


@dataclass
class Cluster:
    """An API server that remembers who asked what."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Any object that it is asked for; Secrets hold the password."""
        self.asked.append((request.method, request.path, request.headers.get("Authorization", "")))
        name = request.path.rpartition("/")[2]
        kind = "Secret" if "/secrets/" in request.path else "Pod"
        thing: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "prod"},
        }
        if kind == "Secret":
            thing["data"] = {"password": base64.b64encode(PASSWORD.encode()).decode()}
        return web.json_response(thing)


@dataclass
class Story:
    """The gateway, and what it stands between."""

    kafka: KafkaAddress
    gate: Served
    cluster: Cluster
    mint: Mint
    mark: str

    def token(self, *groups: str) -> str:
        """Alice's token of her provider."""
        now = int(time.time())
        return self.mint.token(sub="alice", groups=list(groups), iat=now, exp=now + 600, jti=str(uuid4()))

    async def call(self, *groups: str) -> str:
        """What the tool answers to Alice."""
        async with (
            httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {self.token(*groups)}"}, timeout=20
            ) as http,
            Client(streamable_http_client(self.gate.url(f"tools-{self.mark}"), http_client=http)) as client,
        ):
            result = await client.call_tool("remove_pod", {"name": self.mark})
        return str(result.content[0].text)  # type: ignore[union-attr]

    async def stored(self) -> list[Branch]:
        """The tree of the tool call, read from a store that has every frame."""
        store = embedded_store()
        fill(store.client, await _audit_values(self.kafka.bootstrap))
        reader = SqlReader(store.address)
        sql = f"SELECT exchange_id FROM v_exchanges WHERE connection = 'tools-{self.mark}' AND method = 'tools/call'"
        ((call,),) = (await reader.query(sql)).rows
        found = await reader.tree(call)
        await reader.close()
        return found


async def _audit_values(bootstrap: str) -> list[bytes]:
    """Every frame, as the processors put it on `audit`."""
    consumer = AIOKafkaConsumer("frames", bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        values: list[bytes] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                values += [
                    audit_value(open_frame(r.value), partition=tp.partition, offset=r.offset) for r in records
                ]
        return values
    finally:
        await consumer.stop()


def _server(gate: dict[str, str]) -> MCPServer:
    """One tool, that looks at a pod and a Secret and deletes the pod, each through the gateway."""
    server = MCPServer("one-story", log_level="ERROR")

    @server.tool(structured_output=False)
    async def remove_pod(name: str, ctx: Context) -> str:
        """Removes a pod."""
        request = ctx.request_context.request
        assert request is not None
        headers = {
            "User-Agent": f"kubernetes-mcp-server/v0 (linux) {request.headers['user-agent']}",
            "Authorization": request.headers.get("authorization", ""),
            "Accept": "application/json",
        }
        said = []
        async with aiohttp.ClientSession(headers=headers) as http:
            for method, path in (
                ("GET", f"/api/v1/namespaces/prod/pods/{name}"),
                ("GET", f"/api/v1/namespaces/prod/secrets/{name}"),
                ("DELETE", f"/api/v1/namespaces/prod/pods/{name}"),
            ):
                async with http.request(method, gate["url"] + path) as answer:
                    said.append(f"{method} {answer.status} {await answer.text()}")
        return "\n".join(said)

    return server


@asynccontextmanager
async def _running(server: MCPServer) -> AsyncIterator[str]:
    """The server on a free port; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(server.streamable_http_app(), log_config=None, timeout_graceful_shutdown=1)
        running = uvicorn.Server(config)
        task = asyncio.create_task(running.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            running.should_exit = True
            await task


@asynccontextmanager
async def _cluster() -> AsyncIterator[tuple[Cluster, str]]:
    cluster = Cluster()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cluster.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield cluster, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def story(kafka: KafkaAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Story]:
    """Alice's provider is trusted; the group `ops` may use the cluster."""
    mark = uuid4().hex[:8]
    keys, rules = tmp_path / "jwks.json", tmp_path / "policy.yaml"
    keys.write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))))
    rules.write_text(POLICY)
    monkeypatch.setenv("CLUSTER_TOKEN", "the-cluster-credential-0123456789")
    people = Issuer("people", ISSUER, audiences=("gate",), jwks_file=keys)
    identity = IdentitySettings("oidc", PUBLIC_URL, (people,), session_tokens=SessionTokens(bytes(32)))
    gate: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        cluster, api = await stack.enter_async_context(_cluster())
        mcp = await stack.enter_async_context(_running(_server(gate)))
        tools = Connection(
            f"tools-{mark}", upstream=mcp, trace_user_agent=True, credential=OwnSessionToken(f"prod-{mark}")
        )
        prod = Connection(
            f"prod-{mark}",
            kind=ConnectionKind.KUBERNETES,
            upstream=api,
            cluster="prod-eu",
            policy_file=rules,
            access=Access(groups=("ops",)),
            credential=FixedCredential("bearer", SecretSource(env="CLUSTER_TOKEN")),
        )
        served_ = await stack.enter_async_context(
            served(kafka, tools, prod, identity=identity, deadline_seconds=10)
        )
        gate["url"] = f"http://127.0.0.1:{served_.port}/k8s/prod-{mark}"
        yield Story(kafka, served_, cluster, Mint(ISSUER, "gate"), mark)


async def test_a_tool_call_and_what_it_did_to_the_cluster_are_one_story(story: Story) -> None:
    said = await story.call("ops")
    assert "GET 200" in said
    assert "DELETE 403" in said  # held: a person has to agree
    assert PASSWORD not in said
    assert base64.b64encode(PASSWORD.encode()).decode() not in said
    assert [(method, auth) for method, _, auth in story.cluster.asked] == [
        ("GET", "Bearer the-cluster-credential-0123456789")
    ] * 2
    branches = await story.stored()
    rows = cells(branches, branches[0]["exchange_id"])
    assert [(row[2], row[3], row[5]) for row in rows] == [
        ("tools/call remove_pod", "alice", 200),
        (f"└ get pods prod/{story.mark}", "alice", 200),
        (f"└ get secrets prod/{story.mark}", "alice", 200),
        (f"└ delete pods prod/{story.mark}", "alice", 403),
    ]
    assert [each["same_principal"] for each in branches] == [None, True, True, True]
    assert {each["link"] for each in branches[1:]} == {"user_agent"}
    assert "hold by deletes-in-prod" in rows[3][6]
    secret = branches[2]
    assert secret["redactions"] >= 1
    assert secret["user_agent"].startswith("kubernetes-mcp-server/v0")
    assert (
        "sluicegate-exchange" not in secret["user_agent"]
    )  # the program alone: what caused it stands elsewhere


async def test_who_may_not_use_the_cluster_does_not_reach_it_by_a_tool(story: Story) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {
        "Authorization": f"Bearer {story.token('dev')}",
        "Accept": "application/json, text/event-stream",
    }
    url = story.gate.url(f"tools-{story.mark}")
    async with aiohttp.ClientSession() as http, http.post(url, json=call, headers=headers) as answer:
        said = await answer.text()
        assert answer.status == 502
    assert f"may not use the connection prod-{story.mark}" in said
    assert story.cluster.asked == []
