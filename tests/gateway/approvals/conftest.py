"""A broker of these tests' own, since topics and group have fixed names there, and the real approvals worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from schemas.kafka import KafkaAddress, ensure_topics
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.gateway.approvals.people import Office
from tests.processors.fleet import Fleet
from tests.processors.test_worker_flow import ready
from tests.support.broker import running


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """The address of a running broker with all topics."""
    broker = KafkaBroker(tmp_path_factory.mktemp("approvals-kafka"), sync=False, heap_mb=256)
    broker.prepare(plain_say)
    with running(broker):
        address = KafkaAddress(broker.bootstrap, embedded=True)
        asyncio.run(ensure_topics(address))
        yield address


@pytest.fixture(scope="session")
def machine(kafka: KafkaAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The approvals processor: one real worker process."""

    def arguments(home: Path) -> list[str]:
        return ["tests.processors.approvals.worker", kafka.bootstrap, str(home)]

    with Fleet(tmp_path_factory.mktemp("approvals-workers"), arguments, 2, Random(7)) as workers:
        workers.add()
        asyncio.run(ready(workers))
        yield workers


@pytest.fixture
async def office(kafka: KafkaAddress, machine: Fleet) -> AsyncIterator[Office]:
    """Gateways, and people who decide, while the machine runs."""
    async with Office(kafka) as office:
        yield office
