"""Programs over stdio behind identity: sessions of others, and what a program asks of the client."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from gateway.settings import Connection
from schemas.kafka import KafkaAddress
from tests.abuse.identified import bearer, identified
from tests.gateway.conftest import Served
from tests.support.trail import frames_of

PROGRAM = """
import json, sys
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if "method" not in asked or "id" not in asked:
        continue
    if asked["method"] == "initialize":
        say(id=asked["id"], result={"protocolVersion": "2025-11-25", "capabilities": {},
                                    "serverInfo": {"name": "p", "version": "1"}})
    else:
        say(id="own-1", method="sampling/createMessage", params={"messages": [], "maxTokens": 1})
        said = json.loads(sys.stdin.readline())
        say(id=asked["id"], result={"content": [{"type": "text", "text": json.dumps(said)}]})
"""
POLICY = """
default: allow
rules:
  - name: no-sampling
    when: mcp.sender == 'server'
    deny: no server asks our models
"""
ALICE, BOB = bearer("alice"), bearer("bob")
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "c", "version": "1"},
    },
}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}}}


@pytest.fixture
async def gate(kafka: KafkaAddress, tmp_path: Path) -> AsyncIterator[Served]:
    """Two connections to the same program."""
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")
    command = (sys.executable, str(tmp_path / "program.py"))
    one = Connection("one", command=command, policy_file=tmp_path / "policy.yaml")
    other = Connection("other", command=command)
    async with identified(kafka, tmp_path, one, other) as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without a memory."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


def headers(who: str, session: str = "") -> dict[str, str]:
    said = {"Authorization": who, "Accept": "application/json, text/event-stream"}
    return {**said, "MCP-Protocol-Version": "2025-11-25"} | ({"Mcp-Session-Id": session} if session else {})


async def opened(gate: Served, http: aiohttp.ClientSession, who: str) -> str:
    """Id of a new session over `one`."""
    async with http.post(gate.url("one"), json=INITIALIZE, headers=headers(who)) as answer:
        assert answer.status == 200
        return answer.headers["Mcp-Session-Id"]


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize(("who", "connection"), [(BOB, "one"), (ALICE, "other")])
async def test_abuse_59_a_programs_session_is_nobody_elses_and_no_other_connections(
    gate: Served, http: aiohttp.ClientSession, kafka: KafkaAddress, method: str, who: str, connection: str
) -> None:
    session = await opened(gate, http, ALICE)
    body = {"json": CALL} if method == "POST" else {}
    async with http.request(method, gate.url(connection), headers=headers(who, session), **body) as answer:
        told = await answer.json()
    (frame,) = await frames_of(kafka.bootstrap, told["error"]["data"]["exchange_id"])
    assert (answer.status, frame["reason_code"]) == (404, "session_not_yours")
    inner = session.partition("~")[0]
    async with http.post(gate.url("one"), json=CALL, headers=headers(ALICE, inner)) as answer:
        assert answer.status == 404
    async with http.post(gate.url("one"), json=CALL, headers=headers(ALICE, session)) as answer:
        assert answer.status == 200


async def test_what_a_program_asks_against_the_rules_never_reaches_the_client_and_the_program_is_told(
    gate: Served, http: aiohttp.ClientSession
) -> None:
    session = await opened(gate, http, ALICE)
    async with http.post(gate.url("one"), json=CALL, headers=headers(ALICE, session)) as answer:
        stream = await answer.read()
    assert b"sampling/createMessage" not in stream
    (data,) = [line[6:] for line in stream.splitlines() if line.startswith(b"data: ")]
    heard = json.loads(json.loads(data)["result"]["content"][0]["text"])
    assert (heard["id"], heard["error"]["data"]["rule"]) == ("own-1", "no-sampling")
