"""A gateway with its door, a real broker, and an upstream that remembers what it saw."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.edge.guard import DoorLimits
from gateway.settings import Limits
from schemas.kafka import KafkaAddress
from tests.abuse.raw import Bench
from tests.gateway.conftest import Upstream, demo, kafka, network, proxied_broker, served, upstream

__all__ = ["kafka", "network", "proxied_broker", "upstream"]


@asynccontextmanager
async def benched(
    kafka: KafkaAddress,
    upstream: Upstream,
    limits: Limits | None = None,
    door: DoorLimits | None = None,
    **more: Any,
) -> AsyncIterator[Bench]:
    """The gateway before the connection `demo`, with limits of the test's own; `more` is for `served`."""
    async with served(kafka, demo(upstream), limits=limits, **more) as gate:
        if door is not None:
            gate.gateway.door.limits = door
            gate.gateway.door.connections_max = door.connections_max
        yield Bench(gate, upstream, kafka.bootstrap)


@pytest.fixture
async def bench(kafka: KafkaAddress, upstream: Upstream) -> AsyncIterator[Bench]:
    """The gateway before the connection `demo`."""
    async with benched(kafka, upstream) as made:
        yield made
