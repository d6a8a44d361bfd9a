"""Principals, a clock that stands until it is moved, and a provider of tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.sessions import Principal
from tests.gateway.credentials.provider import Provider, provider
from tests.support.certificates import Authority


class Clock:
    """Seconds; moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ann() -> Principal:
    return Principal("https://id.example.com", "ann", "jti-1")


@pytest.fixture
async def tokens() -> AsyncIterator[Provider]:
    async with provider() as served:
        yield served


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
