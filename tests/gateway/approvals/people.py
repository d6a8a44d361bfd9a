"""Gateways that hold calls, callers whom no other test knows, and reviewers who decide."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from gateway.edge.approvals import Approvals
from gateway.held import Approval, HeldCall
from gateway.policy.facts import Call, ToolFacts
from gateway.policy.verdict import Asked, BreakGlass, Grant, Hold
from gateway.sessions import Principal
from gateway.settings import Holding
from schemas.approvals import DECIDED, decision_value, signed_decision
from schemas.findings import FindingRecord
from schemas.kafka import KafkaAddress
from tests.processors.approvals.making import CONSOLE, ISSUER, MACHINE, decision_fields

POLICY = "9a" * 32
HOLDING = Holding(signing_seed=b"g" * 32, machine_public=MACHINE.public)
HOLD = Hold((Asked(("owners",)),), expires_seconds=60)
GRANT = Hold((Asked(("owners",)),), expires_seconds=60, grant=Grant(60, 2, 'tool.arguments.name == "web"'))
ANY_NUMBER = Hold((Asked(("owners",)),), expires_seconds=60, grant=Grant(60))
GLASS = Hold((Asked(("owners",)),), expires_seconds=60, break_glass=BreakGlass(("oncall",)))


def somebody(**over: Any) -> Principal:
    """A caller whom no other test knows."""
    return Principal(ISSUER, f"agent-{uuid4()}", str(uuid4()), **over)


def held(
    who: Principal, digest: str = "4f" * 32, hold: Hold = HOLD, name: str = "web", **over: Any
) -> HeldCall:
    """A call of `delete_pod` by `who`, in an exchange of its own."""
    fields: dict[str, Any] = {
        "exchange_id": str(uuid4()),
        "session_id": "session",
        "principal": who,
        "connection": "prod",
        "method": "tools/call",
        "tool": "delete_pod",
        "verb": "",
        "object": "",
        "shown": b'{"name":"web"}',
        "digest": digest,
        "policy_version": POLICY,
        "rule": "deletes",
        "reason": "deleting needs a second pair of eyes",
        "hold": hold,
        "facts": Call(tool=ToolFacts("delete_pod", {"name": name})),
        **over,
    }
    return HeldCall(**fields)


class Office:
    """Any number of gateway processes' views, and a console through which people decide."""

    def __init__(self, kafka: KafkaAddress) -> None:
        self.kafka = kafka
        self.findings: list[FindingRecord] = []
        self._gateways: list[Approvals] = []
        self.producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all")

    async def __aenter__(self) -> Self:
        await self.producer.start()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        await asyncio.gather(*(each.stop() for each in self._gateways))
        await self.producer.stop()

    async def gateway(self, **over: Any) -> Approvals:
        """Another replica, ready."""
        approvals = Approvals(self.kafka, HOLDING, tell=self.findings.append, **over)
        self._gateways.append(approvals)
        approvals.start()
        await until(lambda: approvals.ready and not approvals.fault)
        return approvals

    async def put(self, topic: str, key: bytes, value: bytes) -> None:
        """Somebody who may write to the topic does."""
        await self.producer.send_and_wait(topic, value, key=key)

    async def say(self, approval: Approval | str, call: HeldCall, verb: str = "approve", **over: Any) -> None:
        """One of the owners decides."""
        fields = {
            "decision_id": str(uuid4()),
            "approval_id": approval if isinstance(approval, str) else approval.approval_id,
            "at": time.time_ns() // 1_000,
            "argument_digest": call.digest,
            "policy_version": call.policy_version,
            **over,
        }
        record = signed_decision(decision_fields(1, "ann", verb, **fields), CONSOLE)
        await self.put(DECIDED, record["approval_id"].encode(), decision_value(record))


async def asked(gateway: Approvals, call: HeldCall) -> Approval:
    """The pending approval that `call` asks for."""
    approval = await gateway.ask(call)
    assert approval is not None
    return approval


async def granted(office: Office, gateway: Approvals, call: HeldCall) -> Approval:
    """The approval that `call` asks for, approved."""
    approval = await asked(gateway, call)
    await office.say(approval, call)
    found = await gateway.wait(approval.approval_id, 20)
    assert found is not None
    assert found.state == "approved", found
    return found


async def seen(gateway: Approvals, call: HeldCall) -> None:
    """Returns once the machine's word on all that the caller of `call` has asked for is here."""
    await until(lambda: not gateway._open.unseen((call.principal.issuer, call.principal.subject)))


async def until(fact: Callable[[], object], seconds: float = 60.0) -> None:
    """Returns once `fact()` is true."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.002)
