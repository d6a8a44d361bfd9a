"""A gateway with its door, a real broker, and an upstream that remembers what it saw."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from schemas.kafka import KafkaAddress
from tests.abuse.raw import Bench
from tests.gateway.conftest import Upstream, demo, kafka, network, proxied_broker, served, upstream

__all__ = ["kafka", "network", "proxied_broker", "upstream"]


@pytest.fixture
async def bench(kafka: KafkaAddress, upstream: Upstream) -> AsyncIterator[Bench]:
    """The gateway before the connection `demo`."""
    async with served(kafka, demo(upstream)) as gate:
        yield Bench(gate, upstream, kafka.bootstrap)
