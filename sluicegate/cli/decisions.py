"""How a person's decision reaches every replica: the record that it is tried, the decision, the record that it holds.

Each of the three is acknowledged by Kafka before the next is sent. A decision without a record does not exist; one
that stopped half-way is told as what it is, and may be made again.
"""

import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.edge.announce import Announcer, stamp
from schemas.admin import Actor, Outcome, admin_record
from schemas.control import ControlRecord
from schemas.findings import FindingRecord
from schemas.kafka import KafkaAddress

ADMIN, CONTROL = "admin", "control"
DEADLINE_SECONDS = 10.0

Change = tuple[str, ControlRecord | None]
"""A key of topic `control`, and what holds under it from now on; None takes back what did."""


class DecisionError(RuntimeError):
    """Kafka did not acknowledge. The message says how far the decision came, and what to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants: `action` and `target` as topic `admin` has them, and the changes that it comes to.

    `findings` are acts on findings.
    """

    action: str
    target: str
    reason: str
    changes: Sequence[Change]
    detail: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[FindingRecord] = ()


def operator() -> Actor:
    """The person at this terminal: the system's name of the user (no variable can change it) and this machine's."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        name = str(os.getuid())
    return Actor("cli", f"{name}@{socket.gethostname()}")


async def decide(address: KafkaAddress, decision: Decision) -> None:
    """Returns once the decision and both its records are acknowledged. Raises DecisionError."""
    announcer = Announcer(address, deadline_seconds=DEADLINE_SECONDS)
    announcer.start()
    try:
        await _decide(announcer, decision)
    finally:
        await announcer.stop()


async def _decide(announcer: Announcer, decision: Decision) -> None:
    if not await _record(announcer, decision, "asked"):
        raise DecisionError(f"nothing was changed, because it could not be recorded: {announcer.fault}")
    for key, record in decision.changes:
        if not await announcer.control(key, record):
            fault = announcer.fault
            await _record(announcer, decision, "failed")
            raise DecisionError(f"it is in doubt whether {key} is changed; run the command again: {fault}")
    for act in decision.findings:
        if not await announcer.finding(act):
            fault = announcer.fault
            await _record(announcer, decision, "failed")
            raise DecisionError(f"it is in doubt whether that was written; run the command again: {fault}")
    if not await _record(announcer, decision, "done"):
        raise DecisionError(f"it is in force, but the trail does not say so yet: {announcer.fault}")


async def _record(announcer: Announcer, decision: Decision, outcome: Outcome) -> bool:
    record = admin_record(
        stamp(),
        operator(),
        decision.action,
        decision.target,
        outcome,
        reason=decision.reason,
        detail=decision.detail,
    )
    return await announcer.admin(record)
