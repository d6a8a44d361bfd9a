"""A broker with all topics, a processor that settles, and the desk of a console before both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from console.desk import Desk
from console.directory import Directory, Person
from console.settings import DeskKeys, DeskLimits, PersonEntry
from processors.approvals.settings import ApprovalSettings
from schemas.approvals import request_value, signed_request
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.signatures import SigningKey
from tests.processors.approvals.making import (
    CONSOLE,
    GATEWAY,
    ISSUER,
    MACHINE,
    SECOND,
    TRUSTED,
    request_fields,
)
from tests.processors.fleet import Fleet
from tests.processors.trail import fill, until
from tests.support.topics import acts

PEOPLE = (
    PersonEntry((f"{ISSUER}|bob", "|bob@laptop", "slack:T1/BOB"), ("owners",)),
    PersonEntry((f"{ISSUER}|ann", "slack:T1/ANN", "mail:ann@example.com"), ("owners",)),
)
KEYS = DeskKeys(b"c" * 32, MACHINE.public, TRUSTED)
assert SigningKey(KEYS.signing_seed).public == CONSOLE.public


def person(name: str, *groups: str) -> Person:
    """Somebody of the issuer; one of the owners unless told otherwise."""
    return Person(ISSUER, name, groups or ("owners",))


@dataclass
class Floor:
    """The broker of the session, and what tests put on it."""

    broker: str

    @property
    def kafka(self) -> KafkaAddress:
        return KafkaAddress(self.broker, embedded=True)

    async def ask(self, key: SigningKey = GATEWAY, **over: Any) -> str:
        """A gateway holds Bob's call; its approval's id."""
        at = time.time_ns() // 1_000
        times = {"approval_id": str(uuid4()), "requested_at": at, "expires_at": at + 600 * SECOND}
        record = signed_request(request_fields(1, **{**times, **over}), key)
        row = (None, record["approval_id"].encode(), request_value(record))
        await fill(self.broker, "approvals.requested", [row])
        return record["approval_id"]

    async def acts(self, target: str) -> list[dict[str, Any]]:
        """What is on the record of a target."""
        return await acts(self.broker, lambda record: record["target"] == target)


@pytest.fixture(scope="session")
def floor(broker: str) -> Floor:
    """All topics are there."""
    asyncio.run(ensure_topics(KafkaAddress(broker, embedded=True)))
    return Floor(broker)


@pytest.fixture(scope="module")
def settled(floor: Floor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """With a processor at work."""
    folder = tmp_path_factory.mktemp("settling")

    def arguments(home: Path) -> list[str]:
        return ["tests.console.settling", floor.broker, str(home)]

    with Fleet(folder, arguments, 1, Random(1)) as workers:
        workers.add()
        yield floor


def processor_settings(home: Path) -> ApprovalSettings:
    """The processor with the keys of these tests."""
    names = [entry.names for entry in PEOPLE]
    return ApprovalSettings(home, b"m" * 32, TRUSTED, names, ("security-on-call",), port_file=home / "port")


@pytest.fixture
async def desk(floor: Floor) -> AsyncIterator[Desk]:
    """A desk that has read everything."""
    found = new_desk(floor)
    found.start()
    await asyncio.wait_for(found.wait_ready(), 60)
    yield found
    await found.stop()


def new_desk(floor: Floor, **limits: Any) -> Desk:
    """A desk with these limits, not started."""
    return Desk(floor.kafka, KEYS, Directory(PEOPLE), limits=DeskLimits(**{"answer_seconds": 60.0, **limits}))


async def comes_to(desk: Desk, approval_id: str, state: str) -> None:
    """Returns once the desk knows that the approval is in that state."""

    async def fact() -> bool:
        found = desk.standing(approval_id)
        return found is not None and found.state == state

    await until(fact, 60)
