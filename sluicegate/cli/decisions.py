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
class Act:
    """Something that a person at this terminal does, as topic `admin` has it."""

    action: str
    target: str
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


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

    @property
    def act(self) -> Act:
        """What its records say of it."""
        return Act(self.action, self.target, self.reason, self.detail)


def operator() -> Actor:
    """The person at this terminal: the system's name of the user (no variable can change it) and this machine's."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        name = str(os.getuid())
    return Actor("cli", f"{name}@{socket.gethostname()}")


async def record(announcer: Announcer, act: Act, outcome: Outcome) -> bool:
    """Whether Kafka has it that `act` is asked for, or how it ended."""
    made = admin_record(
        stamp(), operator(), act.action, act.target, outcome, reason=act.reason, detail=act.detail
    )
    return await announcer.admin(made)


async def decide(address: KafkaAddress, decision: Decision) -> None:
    """Returns once the decision and both its records are acknowledged. Raises DecisionError."""
    announcer = Announcer(address, deadline_seconds=DEADLINE_SECONDS)
    announcer.start()
    try:
        await _decide(announcer, decision)
    finally:
        await announcer.stop()


async def _decide(announcer: Announcer, decision: Decision) -> None:
    if not await record(announcer, decision.act, "asked"):
        raise DecisionError(f"nothing was changed, because it could not be recorded: {announcer.fault}")
    for key, change in decision.changes:
        if not await announcer.control(key, change):
            fault = announcer.fault
            await record(announcer, decision.act, "failed")
            raise DecisionError(f"it is in doubt whether {key} is changed; run the command again: {fault}")
    for act in decision.findings:
        if not await announcer.finding(act):
            fault = announcer.fault
            await record(announcer, decision.act, "failed")
            raise DecisionError(f"it is in doubt whether that was written; run the command again: {fault}")
    if not await record(announcer, decision.act, "done"):
        raise DecisionError(f"it is in force, but the trail does not say so yet: {announcer.fault}")
