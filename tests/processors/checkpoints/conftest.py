"""Topics of one test on the broker of this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.kafka import KafkaAddress
from tests.processors.checkpoints.deployment import Deployment, deployed


@pytest.fixture
async def deployment(broker: str, tmp_path: Path) -> AsyncIterator[Deployment]:
    """Fresh topics and a fresh folder."""
    async with deployed(KafkaAddress(broker, embedded=True), tmp_path) as made:
        yield made
