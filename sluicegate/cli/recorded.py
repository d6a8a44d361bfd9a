"""Work that leaves two records on topic `admin`: that it is asked for, before it begins, and what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from gateway.edge.announce import Announcer
from schemas.admin import Outcome
from schemas.kafka import KafkaAddress
from sluicegate.cli.deciding import told_of_kafka
from sluicegate.cli.decisions import DEADLINE_SECONDS, Act, record
from sluicegate.cli.failures import Failure


@contextmanager
def recorded(kafka: KafkaAddress, act: Act, done: str) -> Iterator[dict[str, Any]]:
    """Work between the two records; it does not begin unless Kafka has the first. `done`: what it does, `exported`.

    What the work puts into the dictionary stands in the second record too. Raises Failure for a record that is not
    acknowledged; work that fails is recorded as that if it can be, and raises its own error either way.
    """
    came_to: dict[str, Any] = {}
    if (fault := _fault(kafka, act, "asked", {})) is not None:
        raise Failure(f"nothing was {done}, because it could not be recorded: {fault}")
    try:
        yield came_to
    except BaseException:
        _fault(kafka, act, "failed", came_to)
        raise
    if (fault := _fault(kafka, act, "done", came_to)) is not None:
        raise Failure(f"it is {done}, but the trail does not say so: {fault}")


def _fault(kafka: KafkaAddress, act: Act, outcome: Outcome, came_to: dict[str, Any]) -> str | None:
    """Why it could not be recorded; None when it is."""
    told = replace(act, detail={**act.detail, **{name: value for name, value in came_to.items() if value}})

    async def run() -> str | None:
        announcer = Announcer(kafka, deadline_seconds=DEADLINE_SECONDS)
        announcer.start()
        try:
            return None if await record(announcer, told, outcome) else announcer.fault
        finally:
            await announcer.stop()

    return told_of_kafka(run())
