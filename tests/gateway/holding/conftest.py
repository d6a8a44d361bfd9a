"""One broker and one approvals worker for all tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from schemas.kafka import KafkaAddress
from tests.gateway.holding.office import machine, start


@pytest.fixture(scope="session")
def address(broker: str) -> KafkaAddress:
    """The broker, straight."""
    return KafkaAddress(broker, embedded=True)


@pytest.fixture
def kafka(address: KafkaAddress) -> KafkaAddress:
    """The broker of these tests: no network in between."""
    return address


@pytest.fixture(scope="session")
def approving(address: KafkaAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The approvals processor is at work."""
    with machine(address, tmp_path_factory.mktemp("approvals")) as workers:
        asyncio.run(start(address, workers))
        yield
