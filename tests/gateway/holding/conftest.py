"""One broker and one approvals worker for all tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from schemas.kafka import KafkaAddress
from sluicegate.embedded.kafka import KafkaBroker
from sluicegate.embedded.say import plain_say
from tests.gateway.holding.office import machine, start
from tests.support.broker import running


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAddress]:
    """A broker of these tests alone: they leave frames and findings that others would count."""
    broker = KafkaBroker(tmp_path_factory.mktemp("holding-kafka"), sync=False, heap_mb=256)
    broker.prepare(plain_say)
    with running(broker):
        yield KafkaAddress(broker.bootstrap, embedded=True)


@pytest.fixture
def kafka(address: KafkaAddress) -> KafkaAddress:
    """The broker of these tests: no network in between."""
    return address


@pytest.fixture(scope="package")
def approving(address: KafkaAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The approvals processor is at work."""
    with machine(address, tmp_path_factory.mktemp("approvals")) as workers:
        asyncio.run(start(address, workers))
        yield
