"""moto, STS before it, principals, and clocks. Nothing here or below asks a cloud's metadata service."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.sessions import Principal
from tests.gateway.cloud.moto_process import moto
from tests.gateway.cloud.sts_front import StsFront, sts_front

BASE = {
    "AWS_ACCESS_KEY_ID": "AKIABASE",
    "AWS_SECRET_ACCESS_KEY": "base-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Clock:
    """Seconds; moved by hand."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ann() -> Principal:
    return Principal("https://id.example.com", "ann", "jti-1")


@pytest.fixture
def bob() -> Principal:
    return Principal("https://id.example.com", "bob", "jti-2")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto() as url:
        yield url


@pytest.fixture
async def sts(moto_url: str) -> AsyncIterator[StsFront]:
    async with sts_front(moto_url) as front:
        yield front
