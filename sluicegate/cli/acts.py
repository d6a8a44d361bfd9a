"""What an operator does from the command line: first it stands on topic `admin`, then it is in force."""

import getpass
import socket
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from gateway.edge.announce import Announcer, stamp
from schemas.admin import Actor, Outcome, admin_record
from schemas.control import ControlRecord
from schemas.kafka import KafkaAddress
from sluicegate.cli.failures import Failure, told
from sluicegate.cli.quiet import run_quietly

__all__ = ["done", "in_turn", "operator", "stamp"]

Result = TypeVar("Result")


def operator() -> Actor:
    """Who types: USER@HOST."""
    return Actor("cli", f"{getpass.getuser()}@{socket.gethostname()}")


def done(work: Coroutine[Any, Any, Result]) -> Result:
    """What `work` gives; when Kafka cannot be reached, that is told."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    with told(KafkaError, OSError):
        return run_quietly(work)


async def in_turn(
    kafka: KafkaAddress,
    actor: Actor,
    record: ControlRecord,
    *,
    action: str,
    target: str,
    detail: Mapping[str, Any],
) -> None:
    """Records that it is asked for, puts `record` in force, records that it is. Raises Failure at the first step that
    Kafka does not acknowledge."""
    announcer = Announcer(kafka)
    announcer.start()

    async def told_to_admin(outcome: Outcome) -> bool:
        said = admin_record(stamp(), actor, action, target, outcome, reason=record["reason"], detail=detail)
        return await announcer.admin(said)

    try:
        if not await told_to_admin("asked"):
            raise Failure(f"nothing was done: topic admin did not take the record ({announcer.fault})")
        if not await announcer.control(record["target"], record):
            await told_to_admin("failed")
            raise Failure(
                f"it may be in force or not: Kafka did not acknowledge it ({announcer.fault}); try again"
            )
        if not await told_to_admin("done"):
            raise Failure("it is in force, but topic admin only says that it was asked for")
    finally:
        await announcer.stop()
