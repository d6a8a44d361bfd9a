"""Held calls end to end: a gateway, the real approvals worker, and people who decide."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import msgspec

from gateway.settings import Holding
from schemas.approvals import ApprovalRequest, ApprovalSettled, open_request, open_settled
from schemas.kafka import KafkaAddress, ensure_topics
from tests.abuse.mcp_upstream import Answered, Client, McpUpstream, client, mcp_upstream
from tests.gateway.conftest import Served, served
from tests.processors.approvals.making import GATEWAY, MACHINE, PARTITIONS, decision
from tests.processors.fleet import Fleet
from tests.processors.test_worker_flow import ready
from tests.processors.trail import fill, read_all

HOLDING = Holding(b"g" * 32, MACHINE.public, keep_alive_seconds=5.0, stream_seconds=30.0, poll_seconds=0.5)
WAIT_SECONDS = 60.0
POLICY = """
default: allow
rules:
  - name: deletes
    when: tool.name == "delete_pod"
    hold: {reviewers: [owners], reason: the pod would be gone}
"""


@contextmanager
def machine(kafka: KafkaAddress, folder: Path) -> Iterator[Fleet]:
    """The approvals processor: processes of its own."""

    def arguments(home: Path) -> list[str]:
        return ["tests.gateway.holding.worker", kafka.bootstrap, str(home)]

    with Fleet(folder, arguments, 2, Random(3)) as workers:
        yield workers


async def start(kafka: KafkaAddress, workers: Fleet) -> None:
    """Until a worker takes what comes."""
    await ensure_topics(kafka)
    workers.add()
    await ready(workers)


def call(name: str = "delete_pod", number: int = 1, /, **arguments: Any) -> bytes:
    """A tools/call of 2025-11-25."""
    params = {"name": name, "arguments": arguments}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})


async def done(asked: bytes) -> Answered:
    """Upstream does whatever it is asked, and says what it was told to say."""
    told = msgspec.json.decode(asked) if asked.startswith(b"{") else {}
    result = told.get("echo") or {"content": [{"type": "text", "text": "done"}]}
    said = {"jsonrpc": "2.0", "id": told.get("id", 0), "result": result}
    return 200, "application/json", msgspec.json.encode(said)


@dataclass
class Case:
    """A client, the upstream behind the gateway, and the office where people decide."""

    kafka: KafkaAddress
    gate: Served
    upstream: McpUpstream
    caller: Client
    policy: Path

    async def requested(self, mark: str) -> ApprovalRequest:
        """The request whose arguments show `mark`, once there is one."""
        return (await self.all_requested(mark, 1))[-1]

    async def all_requested(self, mark: str, count: int) -> list[ApprovalRequest]:
        """All of them, once there are so many."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                rows = await read_all(self.kafka.bootstrap, "approvals.requested", PARTITIONS)
                found = [open_request(row.key, row.value) for row in rows if mark.encode() in row.value]
                if len(found) >= count:
                    return sorted(found, key=lambda request: request["requested_at"])

    async def settled(self, approval_id: str, state: str) -> ApprovalSettled:
        """What is settled of it, once it is in that state."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                rows = await read_all(self.kafka.bootstrap, "approvals.settled", PARTITIONS)
                found = [open_settled(r.key, r.value) for r in rows if r.key == approval_id.encode()]
                found = [record for record in found if record["state"] == state]
                if found:
                    return found[-1]

    async def decide(
        self, asked: ApprovalRequest, who: str = "ann", verb: str = "approve", **over: Any
    ) -> None:
        """Somebody of the owners says so, at the console."""
        fields = {
            "decision_id": str(uuid4()),
            "approval_id": asked["approval_id"],
            "at": time.time_ns() // 1_000,
            "argument_digest": asked["argument_digest"],
            "policy_version": asked["policy_version"],
            **over,
        }
        await fill(self.kafka.bootstrap, "approvals.decided", [(None, *decision(1, who, verb, **fields))])

    def ran(self, mark: str) -> int:
        """How often upstream was asked for what shows `mark`."""
        return sum(mark.encode() in body for body in self.upstream.bodies)


@asynccontextmanager
async def office(
    kafka: KafkaAddress, folder: Path, rules: str = POLICY, holding: Holding = HOLDING, **more: Any
) -> AsyncIterator[Case]:
    """A gateway whose calls are held by `rules`."""
    policy = folder / f"{uuid4().hex}.yaml"
    policy.write_text(rules, "utf-8")
    async with mcp_upstream(done) as upstream:
        connection = replace(upstream.connection, policy_file=policy, **more)
        async with (
            served(kafka, connection, holding=holding) as gate,
            client(gate, kafka.bootstrap) as caller,
        ):
            yield Case(kafka, gate, upstream, caller, policy)


async def until(fact: Callable[[], bool]) -> None:
    """Waits for a fact that the test itself sees."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not fact():
            await asyncio.sleep(0.01)


__all__ = ["GATEWAY", "HOLDING", "POLICY", "Case", "call", "machine", "office", "start", "until"]
