"""The announcer: what the gateway (or the command line) tells beside the frames, onto `control`, `admin`, `findings`.

Each method answers True only after Kafka's acknowledgement (acks=all, idempotent producer). False means that nobody
knows whether it was written: the deadline passed, or Kafka said no. It never raises for Kafka's sake.
"""

import asyncio
import time
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from gateway.edge.identifiers import Entropy
from schemas import sealed
from schemas.admin import AdminRecord, admin_value
from schemas.clients import start_client
from schemas.control import ControlRecord, control_value
from schemas.findings import FindingRecord, finding_value
from schemas.kafka import KafkaAddress
from schemas.stamps import Stamp

CONTROL, ADMIN, FINDINGS = "control", "admin", "findings"
REQUEST_BYTES_MAX = 4 * 1024 * 1024
DEADLINE_SECONDS = 5.0
PAUSE_SECONDS = 0.25
GOODBYE_SECONDS = 2.0

log = structlog.get_logger("announcer")


def stamp() -> Stamp:
    """A fresh id, and now."""
    return Stamp(Entropy(16).uuid7(), time.time_ns() // 1_000)


class Announcer:
    """One a process; `start` before use. Records of one caller arrive in the order in which they were awaited."""

    def __init__(
        self,
        kafka: KafkaAddress,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        topics: tuple[str, ...] = (CONTROL, ADMIN, FINDINGS),
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._deadline = deadline_seconds
        self._producer: AIOKafkaProducer | None = None
        self._reached = asyncio.Event()
        self._lost = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.fault = "Kafka has not been reached yet"

    def start(self) -> None:
        """Begins to reach for Kafka in the background; `fault` tells how far it is."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Lets go of Kafka. What is not acknowledged yet stays in doubt."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self._close()

    @property
    def ready(self) -> bool:
        """Whether a record given now has a chance to be acknowledged in time."""
        return self._reached.is_set()

    async def control(self, key: str, record: ControlRecord | None) -> bool:
        """`record` is in force under `key` on every replica soon; None takes back what was."""
        if record is not None and record["target"] != key:
            raise ValueError("a control record lies under its own target")
        value = None if record is None else control_value(record)
        return await self._tell(CONTROL, key, value)

    async def admin(self, record: AdminRecord) -> bool:
        """Somebody did something; the record is where nobody can take it back."""
        return await self._tell(ADMIN, record["actor_subject"], admin_value(record))

    async def finding(self, record: FindingRecord) -> bool:
        """A person should look at something."""
        return await self._tell(FINDINGS, record["rule"], finding_value(record))

    async def sealed(self, session_id: str, value: bytes) -> bool:
        """A sealed original (`schemas.sealed`) is on its topic."""
        return await self._tell(sealed.TOPIC, session_id, value)

    async def _tell(self, topic: str, key: str, value: bytes | None) -> bool:
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self._deadline):
                await self._reached.wait()
                producer = self._producer
                if producer is None:
                    raise KafkaError("no producer")
                sent = await producer.send(topic, value, key=key.encode("utf-8", "replace"))
                sent.add_done_callback(_look_at)
                await asyncio.shield(sent)
        except (KafkaError, TimeoutError, OSError) as exc:
            log.warning("announcement_in_doubt", topic=topic, error=type(exc).__name__)
            self._give_up(producer)
            return False
        return True

    # -- Kafka

    def _give_up(self, producer: AIOKafkaProducer | None) -> None:
        """A failed send leaves the sequence of its producer in doubt, so a new producer takes over."""
        if producer is not None and producer is self._producer:
            self.fault = f"Kafka at {self._kafka.bootstrap} did not acknowledge a record in time"
            self._reached.clear()
            self._lost.set()

    async def _keep(self) -> None:
        while True:
            await self._close()
            self._lost.clear()
            try:
                self._producer = await self._new_producer()
            except (KafkaError, OSError) as exc:
                self.fault = f"Kafka at {self._kafka.bootstrap} cannot be reached: {type(exc).__name__}"
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.fault = ""
            self._reached.set()
            await self._lost.wait()

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._kafka.client_options(),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=5_000,
            retry_backoff_ms=100,
            metadata_max_age_ms=60_000,
            max_request_size=REQUEST_BYTES_MAX,
        )
        try:
            await start_client(producer)
            for topic in self._topics:  # a first send would wait for these
                await producer.partitions_for(topic)
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _close(self) -> None:
        self._reached.clear()
        old, self._producer = self._producer, None
        if old is not None:
            with suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await old.stop()


def _look_at(sent: "asyncio.Future[object]") -> None:
    """Nobody waits for it any more, and asyncio complains of errors that nobody has seen."""
    if not sent.cancelled():
        sent.exception()
