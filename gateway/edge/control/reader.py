"""Follows topic `control` from its beginning, without a group: every replica reads all of it.

At start the state is unknown, so `ready` stays False until the topic was read to the end it had then. Later, while
Kafka is away, the last state stays in force: a block that was seen is not forgotten. When nothing comes, the broker
is asked where the topic ends, so that a reader which stands still is noticed, told of, and replaced.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from gateway.edge.control.metrics import METRICS
from gateway.edge.control.state import Clock, ControlState
from gateway.sessions import Principal
from gateway.settings import Rate
from schemas.clients import being_cancelled, let_go, start_client
from schemas.codec import CodecError
from schemas.control import ControlRecord, ToolPin
from schemas.kafka import KafkaAddress

TOPIC = "control"
RETRY_SECONDS = 0.5
POLL_MS = 1_000
ASK_SECONDS = 5.0

Callback = Callable[[], None]
_PARTITION = TopicPartition(TOPIC, 0)

log = structlog.get_logger("control")


class Control:
    """Who is blocked, which sessions are killed, which tokens revoked, how tools are pinned, what is demanded of
    whom. One a process."""

    def __init__(
        self, kafka: KafkaAddress, *, clock: Clock = time.time, ask_seconds: float = ASK_SECONDS
    ) -> None:
        self._kafka = kafka
        self._ask_seconds = ask_seconds
        self._state = ControlState(clock)
        self._callbacks: list[Callback] = []
        self._caught_up = asyncio.Event()
        self._position: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._heard = time.monotonic()
        self.fault = "the topic control has not been read yet"

    def start(self) -> None:
        """Begins to read in the background; `fault` tells how far it is."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Reads no more; the state stays as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """Whether the whole topic was read once; it stays so."""
        return self._caught_up.is_set()

    async def wait_ready(self) -> None:
        """Returns once `ready`."""
        await self._caught_up.wait()

    @property
    def unheard_seconds(self) -> float:
        """For how long it is not known whether the state is the latest; seldom above a few seconds."""
        return time.monotonic() - self._heard

    def subscribe(self, callback: Callback) -> Callback:
        """`callback` is called after each change, in the event loop; it must not block. Gives what ends that."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    # -- look-ups, each a dictionary look-up

    def blocked(self, principal: Principal) -> str:
        """Why this principal gets nothing; '' when nobody blocked it."""
        return self._state.blocked(principal)

    def demanded(self, session_id: str, principal: Principal) -> str:
        """Why each call of this session, or of this principal, needs an approval; '' when none is demanded."""
        return self._state.demanded(session_id, principal)

    def lowered(self, principal: Principal) -> Rate | None:
        """The rate that this principal may not exceed over any connection for now; None when there is none."""
        return self._state.lowered(principal)

    def killed(self, session_id: str, principal: Principal) -> str:
        """Why this session is over: it was killed, or the token it stands on was revoked. '' while it is not."""
        reason = self._state.killed(session_id)
        return reason or ("its token was revoked" if self._state.revoked(principal.credential) else "")

    def revoked(self, token_id: str) -> bool:
        """Whether the token with this jti (`Principal.credential`) was revoked."""
        return self._state.revoked(token_id)

    @property
    def pins(self) -> Mapping[tuple[str, str], ToolPin]:
        """(connection, tool) → how the tool is known; a live view."""
        return self._state.pins

    @property
    def policies(self) -> Mapping[str, str]:
        """Connection → version of the policy that was last said to be in force; a live view."""
        return self._state.policies

    def records(self) -> list[ControlRecord]:
        """All that is in force now, the oldest first."""
        return self._state.records()

    def expired(self, before: float) -> list[ControlRecord]:
        """What ended by itself before `before` (Unix seconds) and still lies on the topic."""
        return self._state.expired(before)

    # -- Kafka

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except asyncio.CancelledError as exc:
                if being_cancelled():
                    raise
                self._failed(exc)
            except Exception as exc:  # noqa: BLE001  # whatever it is, the blocks that follow must be read
                self._failed(exc)
            await asyncio.sleep(RETRY_SECONDS)

    def _failed(self, exc: BaseException) -> None:
        self.fault = f"the topic {TOPIC} cannot be read: {type(exc).__name__}"
        METRICS.unheard_seconds.set(self.unheard_seconds)
        log.warning("control_unread", error=type(exc).__name__, unheard_seconds=self.unheard_seconds)

    async def _follow(self) -> None:
        consumer = _consumer(self._kafka)
        try:
            await start_client(consumer)
            consumer.assign([_PARTITION])
            if self._position is not None:
                consumer.seek(_PARTITION, self._position)
            end = await _end(consumer)
            while True:
                self._position = await consumer.position(_PARTITION)
                if self._position >= end:
                    self._arrive()
                METRICS.unheard_seconds.set(self.unheard_seconds)
                batches = await consumer.getmany(timeout_ms=POLL_MS)
                if batches:
                    self._take(batches)
                elif self.unheard_seconds > self._ask_seconds:
                    await self._ask(consumer)
        finally:
            await let_go(consumer)

    async def _ask(self, consumer: AIOKafkaConsumer) -> None:
        """Raises KafkaError, TimeoutError when the broker is away, or gives nothing of what it has."""
        if await consumer.position(_PARTITION) < await _end(consumer):
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            if not batches:
                raise KafkaError("the reader stands still")
            self._take(batches)
        self._heard = time.monotonic()

    def _take(self, batches: "Mapping[TopicPartition, list[ConsumerRecord[bytes, bytes]]]") -> None:
        self._heard = time.monotonic()
        changed = [self._apply(record) for batch in batches.values() for record in batch]
        if any(changed):
            self._tell()

    def _apply(self, record: "ConsumerRecord[bytes, bytes]") -> bool:
        """Whether it changed anything. A poison record stops nothing: it is counted, and the state stays."""
        try:
            kind = self._state.apply(record.key, record.value)
        except CodecError as exc:
            METRICS.unreadable.inc()
            log.error("control_record_ignored", offset=record.offset, fault=str(exc))  # noqa: TRY400
            return False
        except Exception:  # whatever it is, the blocks that follow must be read
            METRICS.unreadable.inc()
            log.exception("control_record_ignored", offset=record.offset)
            return False
        if kind is not None:
            METRICS.changes.labels(kind).inc()
        return kind is not None

    def _arrive(self) -> None:
        self.fault = ""
        if not self.ready:
            self._caught_up.set()
            METRICS.caught_up.set(1)
            log.info("control_caught_up", in_force=len(self._state.records()))
            self._tell()

    def _tell(self) -> None:
        for callback in list(self._callbacks):
            try:
                callback()
            except Exception:  # whoever listens, the others must hear of a block
                log.exception("control_callback_failed")


async def in_force(kafka: KafkaAddress) -> list[ControlRecord]:
    """All that is in force now, the oldest first, read once. Raises KafkaError, OSError when Kafka is away."""
    state = ControlState(time.time)
    consumer = _consumer(kafka)
    try:
        await start_client(consumer)
        consumer.assign([_PARTITION])
        end = await _end(consumer)
        while await consumer.position(_PARTITION) < end:
            for batch in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in batch:
                    _apply_if_readable(state, record)
    finally:
        await let_go(consumer)
    return state.records()


async def _end(consumer: AIOKafkaConsumer) -> int:
    """Where the topic ends now. Raises KafkaError, TimeoutError."""
    async with asyncio.timeout(ASK_SECONDS):
        return int((await consumer.end_offsets([_PARTITION]))[_PARTITION])


def _apply_if_readable(state: ControlState, record: "ConsumerRecord[bytes, bytes]") -> None:
    try:
        state.apply(record.key, record.value)
    except CodecError as exc:
        log.warning("control_record_ignored", offset=record.offset, fault=str(exc))


def _consumer(kafka: KafkaAddress) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **kafka.client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=10_000,
        retry_backoff_ms=100,
        metadata_max_age_ms=60_000,
    )
