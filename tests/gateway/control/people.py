"""Principals and decisions, made to order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from gateway.edge.announce import Announcer
from gateway.edge.control import Control
from gateway.sessions import Principal
from schemas.kafka import KafkaAddress

ISSUER = "https://login.example.com"


def somebody(subject: str | None = None, issuer: str = ISSUER, credential: str = "") -> Principal:
    """A principal whom no other test knows."""
    return Principal(issuer, subject or f"alice-{uuid4()}", credential or str(uuid4()))


@asynccontextmanager
async def reading(kafka: KafkaAddress) -> AsyncIterator[Control]:
    """A control that has caught up."""
    control = Control(kafka)
    control.start()
    try:
        async with asyncio.timeout(30):
            await control.wait_ready()
        yield control
    finally:
        await control.stop()


@asynccontextmanager
async def announcing(kafka: KafkaAddress, deadline_seconds: float = 5.0) -> AsyncIterator[Announcer]:
    """An announcer that has begun to reach for Kafka."""
    announcer = Announcer(kafka, deadline_seconds=deadline_seconds)
    announcer.start()
    try:
        yield announcer
    finally:
        await announcer.stop()


async def until(fact: Callable[[], object], seconds: float = 30.0) -> None:
    """Returns once `fact()` is true."""
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.002)
