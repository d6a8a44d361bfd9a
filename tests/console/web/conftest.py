"""A console with pages for the user at this terminal, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.conftest import Floor
from tests.console.web.serving import Served, served_web


@pytest.fixture
async def site(floor: Floor, tmp_path: Path) -> AsyncIterator[Served]:
    async with served_web(floor, tmp_path) as found:
        yield found
