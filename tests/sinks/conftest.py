"""One embedded store for the tests of this process, and store processes for those that need their own."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sinks.client import HttpReader
from sluicegate.embedded.ports import free_port
from tests.sinks.records import sink_topics
from tests.sinks.shared_store import Store, embedded_store

PARTITIONS = 4
READY_S = 120.0


@pytest.fixture
def store() -> Store:
    """The embedded store of this test process: use lanes, sessions and exchanges of your own."""
    return embedded_store()


@dataclass(frozen=True)
class Topics:
    """Topics of one test, and ways to write and read them."""

    bootstrap: str
    prefix: str
    producer: AIOKafkaProducer

    async def audit(self, partition: int, *values: bytes) -> None:
        """Puts `values` on the audit topic; returns when Kafka has them."""
        topic = f"{self.prefix}-audit"
        sent = [await self.producer.send(topic, value, partition=partition) for value in values]
        await asyncio.gather(*sent)

    async def finding(self, value: bytes) -> None:
        """Puts `value` on the findings topic."""
        await self.producer.send_and_wait(f"{self.prefix}-findings", value)

    async def admin(self, *values: bytes) -> None:
        """Puts `values` on the admin topic."""
        for value in values:
            await self.producer.send_and_wait(f"{self.prefix}-admin", value)

    async def approval(self, topic: str, *values: bytes) -> None:
        """Puts `values` on a topic of approvals (requested, decided, settled) or on that of alerts."""
        for value in values:
            await self.producer.send_and_wait(f"{self.prefix}-{topic}", value)

    async def dead(self, count: int) -> list[bytes]:
        """The first `count` dead letters."""
        consumer = AIOKafkaConsumer(
            f"{self.prefix}-dead", bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(60):
                return [(await consumer.getone()).value for _ in range(count)]
        finally:
            await consumer.stop()


@pytest.fixture
async def kafka_topics(broker: str) -> AsyncIterator[Topics]:
    """Fresh topics for one test."""
    prefix = f"sink-{uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    topics = sink_topics(prefix)
    single = [name for name in (*topics.stored, topics.dead_letters) if name != topics.audit]
    names = [(topics.audit, PARTITIONS), *((name, 1) for name in single)]
    try:
        await admin.start()
        await admin.create_topics([NewTopic(name, count, 1) for name, count in names])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=5)
    try:
        await producer.start()
        yield Topics(broker, prefix, producer)
    finally:
        await producer.stop()


class StoreProcess:
    """The store process on its own, as `sluicegate up` runs it."""

    def __init__(self, data_dir: Path, topics: Topics) -> None:
        self.data_dir = data_dir
        self._topics = topics
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()  # it is free for a while again when the process is killed
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it; does not wait."""
        arguments = [
            str(self.data_dir),
            self._topics.bootstrap,
            str(self.port),
            self._topics.prefix,
            "embedded",
        ]
        with (self.data_dir / "sink.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.sinks.store_process", *arguments],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def ready(self) -> None:
        """Returns when it takes and stores records."""
        async with aiohttp.ClientSession() as http, asyncio.timeout(READY_S):
            while await self._status(http) != 200:
                assert self._process is not None
                assert self._process.poll() is None, (self.data_dir / "sink.log").read_text()[-2_000:]
                await asyncio.sleep(0.05)

    async def _status(self, http: aiohttp.ClientSession) -> int:
        try:
            async with http.get(f"{self.url}/readyz") as response:
                return response.status
        except aiohttp.ClientError:
            return 0

    def reader(self) -> HttpReader:
        """A reader that asks it."""
        return HttpReader(self.url, self.data_dir / "run" / "query.token")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = self._process.wait(60)
        self._process = None
        return code


@pytest.fixture
async def store_process(tmp_path: Path, kafka_topics: Topics) -> AsyncIterator[StoreProcess]:
    """A store process on fresh topics, ready."""
    process = StoreProcess(tmp_path, kafka_topics)
    process.start()
    try:
        await process.ready()
        yield process
    finally:
        process.kill()
