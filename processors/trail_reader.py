"""Reads the trail behind the processors, and keeps the ledgers of the partitions that are this worker's."""

from collections.abc import Iterable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata

from processors.completeness_report import GROUP
from processors.kafka_view import KafkaView
from processors.ledger import Ledger, Positions, Resume
from processors.masking import AUDIT, FRAMES
from processors.positions import AUDIT as AUDIT_POSITION
from processors.positions import DEAD_LETTER as DEAD_LETTER_POSITION
from processors.positions import PositionReader
from processors.rejected import DEAD_LETTERS
from schemas.codec import CodecError
from schemas.kafka import KafkaAddress

log = structlog.get_logger(__name__)

READ_MS = 500
RECORDS_MAX = 2_000


class TrailReader(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped here
    """Reads `audit` as a member of the group and `dead-letters` alone, and keeps the ledgers of its partitions."""

    def __init__(self, kafka: KafkaAddress, view: KafkaView) -> None:
        self.ledgers: dict[int, Ledger] = {}
        self._view = view
        self._failure: KafkaError | TimeoutError | None = None
        self._kept: dict[int, tuple[int, str]] = {}
        self._dead_letter_partitions: list[int] = []
        usual = {"enable_auto_commit": False, "auto_offset_reset": "earliest", **kafka.client_options()}
        self._audit = AIOKafkaConsumer(
            group_id=GROUP,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            fetch_min_bytes=64 * 1024,  # a little late costs nothing here, and many small fetches would
            fetch_max_wait_ms=1_000,
            **usual,
        )
        self._dead_letters = AIOKafkaConsumer(fetch_max_wait_ms=2_000, **usual)

    async def start(self) -> None:
        """Join the group. The ledgers come with the assignment."""
        self._dead_letter_partitions = await self._view.partitions(DEAD_LETTERS)
        await self._dead_letters.start()
        self._dead_letters.assign([TopicPartition(DEAD_LETTERS, n) for n in self._dead_letter_partitions])
        await self._audit.start()
        self._audit.subscribe([AUDIT], listener=self)

    async def stop(self) -> None:
        """Keep the books and leave the group."""
        try:
            await self.keep()
        finally:
            await self._audit.stop()
            await self._dead_letters.stop()

    async def read(self) -> None:
        """Note the next records of both topics; returns after at most about half a second. Raises KafkaError."""
        if self._failure is not None:
            raise self._failure
        audited = await self._audit.getmany(timeout_ms=READ_MS, max_records=RECORDS_MAX)
        rejected = await self._dead_letters.getmany(timeout_ms=0, max_records=RECORDS_MAX)
        for place, rows in audited.items():
            if (ledger := self.ledgers.get(place.partition)) is not None:
                _note_audit(ledger, rows)
        for rows in rejected.values():
            self._note_dead_letters(rows)
        for ledger in list(self.ledgers.values()):
            ledger.read_to(*await self.position(ledger))

    async def position(self, ledger: Ledger) -> tuple[int, Positions]:
        """How far reading has come for a ledger: in `audit`, and in `dead-letters`."""
        dead_letters = {
            number: await self._dead_letters.position(TopicPartition(DEAD_LETTERS, number))
            for number in self._dead_letter_partitions
        }
        return await self._audit.position(TopicPartition(AUDIT, ledger.partition)), dead_letters

    def _note_dead_letters(self, rows: Iterable[Any]) -> None:
        for row in rows:
            place = _place(DEAD_LETTER_POSITION, row)
            if place is not None and place["topic"] == FRAMES and place["partition"] in self.ledgers:
                self.ledgers[place["partition"]].saw(place["offset"])

    async def keep(self) -> None:
        """Commit the resume points, with the books as metadata, where they changed."""
        await self._keep(list(self.ledgers.values()))

    async def _keep(self, ledgers: Iterable[Ledger]) -> None:
        states = {ledger.partition: (ledger.resume.audit, ledger.kept()) for ledger in ledgers}
        changed = {n: state for n, state in states.items() if self._kept.get(n) != state}
        if not changed:
            return
        try:
            await self._audit.commit({TopicPartition(AUDIT, n): state for n, state in changed.items()})
        except (CommitFailedError, IllegalStateError):
            log.info("completeness_books_not_kept", reason="the partitions went to another worker")
        else:
            self._kept.update(changed)

    # -- the group

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Keep the books of what goes to another worker, then drop them."""
        numbers = {place.partition for place in revoked}
        await self._keep([ledger for number, ledger in self.ledgers.items() if number in numbers])
        for number in numbers:
            self.ledgers.pop(number, None)
            self._kept.pop(number, None)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Open the books of what is ours now, and read from their resume points."""
        try:
            await self._open({place.partition for place in assigned} - self.ledgers.keys())
        except (KafkaError, TimeoutError) as error:
            self._failure = error  # aiokafka would only log it, and the check would look at nothing

    async def _open(self, numbers: set[int]) -> None:
        kept = await self._view.committed(GROUP, AUDIT)
        opened = [_restored(number, kept[number]) for number in numbers if number in kept]
        known = {ledger.partition: ledger for ledger in opened if ledger is not None}
        known |= {ledger.partition: ledger for ledger in await self._begun(sorted(numbers - known.keys()))}
        self.ledgers |= known
        for number, ledger in known.items():
            self._audit.seek(TopicPartition(AUDIT, number), ledger.resume.audit)
        if known:
            self._rewind_dead_letters()

    async def _begun(self, numbers: list[int]) -> list[Ledger]:
        """First books: from the oldest frame that is still there, reading from the beginning."""
        if not numbers:
            return []
        frames = await self._view.lows(FRAMES, numbers)
        audit = await self._view.lows(AUDIT, numbers)
        dead_letters = await self._view.lows(DEAD_LETTERS, self._dead_letter_partitions)
        return [Ledger(n, frames[n], Resume(audit[n], dict(dead_letters))) for n in numbers]

    def _rewind_dead_letters(self) -> None:
        """Seeing a dead letter twice is harmless, so all partitions share the earliest resume point."""
        for number in self._dead_letter_partitions:
            start = min(ledger.resume.dead_letters.get(number, 0) for ledger in self.ledgers.values())
            self._dead_letters.seek(TopicPartition(DEAD_LETTERS, number), start)


def _restored(partition: int, kept: OffsetAndMetadata) -> Ledger | None:
    """The books as kept; None when they cannot be read: then everything is checked again from the beginning."""
    try:
        return Ledger.restored(partition, kept.offset, kept.metadata)
    except ValueError as error:
        reason = str(error)
    log.error("completeness_books_unreadable", partition=partition, reason=reason)
    return None


def _note_audit(ledger: Ledger, rows: Iterable[Any]) -> None:
    for row in rows:
        place = _place(AUDIT_POSITION, row)
        if place is not None and place["frames_partition"] == ledger.partition:
            ledger.saw(place["frames_offset"])


def _place(reader: PositionReader, row: Any) -> dict[str, Any] | None:
    """What the record is about; None when it cannot be read: then it does not prove that a frame is there."""
    try:
        return reader.read(row.value)
    except CodecError as error:
        reason = str(error)
    log.error("record_unreadable", topic=row.topic, partition=row.partition, offset=row.offset, reason=reason)
    return None
