"""Fixtures of the edge tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.gateway.edge.wire import Wire, listening


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A raw upstream."""
    async with listening() as made:
        yield made
