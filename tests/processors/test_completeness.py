"""The completeness check on a real broker: a hole made on purpose is found, raised and driven again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from masking.deep import DeepMasker
from processors.completeness import CompletenessCheck
from processors.completeness_report import PartitionReport, State, completeness_report
from processors.masking import GROUP, MaskingProcessor
from processors.masks import Deep
from processors.metrics import Metrics
from processors.outlet import Outlet
from processors.records import Incoming
from schemas.codec import codec
from schemas.kafka import MAX_MESSAGE_BYTES, KafkaAddress, ensure_topics
from tests.processors.making import frame_value
from tests.processors.masking_worker import KEY
from tests.processors.trail import delete_records, fill, read_all, until

PARTITION = 1
NOW = 1_790_000_000_000_000


def mask(_connection: str, _groups: object) -> Deep:
    """The workers' mask."""
    return Deep(DeepMasker(KEY, "secrets").mask)


class Trail:
    """The topics, with a masking processor whose every step the test takes itself."""

    def __init__(self, kafka: KafkaAddress, outlet: Outlet) -> None:
        self.kafka = kafka
        self.metrics = Metrics()
        self.outlet = outlet
        self.processor = MaskingProcessor(mask, outlet, self.metrics, MAX_MESSAGE_BYTES)

    async def record(self, count: int) -> int:
        """Record `count` frames; the offset of the first."""
        end = (await self.report()).end
        rows = [(PARTITION, b"k", frame_value(end + number)) for number in range(count)]
        await fill(self.kafka.bootstrap, "frames", rows)
        return end

    async def process(self, *offsets: int) -> None:
        """Mask the frames at `offsets`, as the agent would."""
        rows = {
            row.offset: row for row in await read_all(self.kafka.bootstrap, "frames", 4) if row.partition == 1
        }
        frames = [Incoming("frames", PARTITION, n, rows[n].key, rows[n].value) for n in offsets]
        await self.processor.process(frames, {})

    async def commit(self, offset: int) -> None:
        """Commit for the masking group, whether the frames were processed or not."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap, group_id=GROUP, enable_auto_commit=False
        )
        await consumer.start()
        try:
            place = TopicPartition("frames", PARTITION)
            consumer.assign([place])
            await consumer.commit({place: offset})
        finally:
            await consumer.stop()

    async def report(self) -> PartitionReport:
        """What the command would say of the partition."""
        return (await completeness_report(self.kafka)).partitions[PARTITION]

    async def findings(self) -> list[dict[str, object]]:
        """All findings raised so far."""
        return [
            codec("finding").decode(row.value) for row in await read_all(self.kafka.bootstrap, "findings", 1)
        ]

    async def verified_up_to(self, offset: int) -> PartitionReport:
        """Wait until the check has accounted for everything below `offset`."""

        async def fact() -> bool:
            return (await self.report()).verified >= offset

        await until(fact, 30)
        return await self.report()

    @asynccontextmanager
    async def checking(self) -> AsyncIterator[None]:
        """Run the check for as long as the block lasts."""
        stop = asyncio.Event()
        check = CompletenessCheck(
            self.kafka, self.processor, self.outlet, self.metrics, interval_seconds=0.2, now=lambda: NOW
        )
        task = asyncio.create_task(check.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


@pytest.fixture
async def trail(kafka: KafkaAddress) -> AsyncIterator[Trail]:
    """A trail in which everything so far is processed and verified."""
    await ensure_topics(kafka)
    async with Outlet(kafka) as outlet:
        made = Trail(kafka, outlet)
        end = (await made.report()).end
        await made.commit(end)
        async with made.checking():
            await made.verified_up_to(end)
        yield made


async def test_a_committed_frame_that_audit_lacks_is_raised_and_driven_again(trail: Trail) -> None:
    first = await trail.record(10)
    await trail.process(*(first + n for n in (0, 1, 2, 5, 6, 7, 9)))
    await trail.commit(first + 10)
    before, redriven = await trail.findings(), (await trail.report()).redriven
    async with trail.checking():
        report = await trail.verified_up_to(first + 10)
    assert (report.state, report.redriven - redriven) == (State.COMPLETE, 3)
    (finding,) = (await trail.findings())[len(before) :]
    assert finding["rule"] == "trail-incomplete"
    assert finding["evidence"] == [f"frames-1: {first + 3}-{first + 4}, {first + 8}", "frames: 3"]
    values = [row.value for row in await read_all(trail.kafka.bootstrap, "audit", 4) if row.partition == 1]
    about = [codec("audit").decode(value)["frames_offset"] for value in values[-10:]]
    assert sorted(about) == [first + n for n in range(10)]


async def test_a_frame_that_is_not_committed_yet_is_left_to_the_masking(trail: Trail) -> None:
    first = await trail.record(4)
    await trail.process(first, first + 1)
    await trail.commit(first + 2)
    before = await trail.findings()
    async with trail.checking():
        report = await trail.verified_up_to(first + 2)
    assert (report.verified, report.state) == (first + 2, State.CATCHING_UP)
    assert await trail.findings() == before
    await trail.process(first + 2, first + 3)
    await trail.commit(first + 4)


async def test_a_missing_frame_that_is_poison_ends_as_a_dead_letter(trail: Trail) -> None:
    first = (await trail.report()).end
    await fill(trail.kafka.bootstrap, "frames", [(PARTITION, b"k", b"nonsense")])
    await trail.commit(first + 1)
    async with trail.checking():
        report = await trail.verified_up_to(first + 1)
    assert report.missing == ()
    letter = codec("dead_letter").decode((await read_all(trail.kafka.bootstrap, "dead-letters", 1))[-1].value)
    assert (letter["partition"], letter["offset"]) == (PARTITION, first)


async def test_a_restart_goes_on_from_the_books_and_raises_nothing_twice(trail: Trail) -> None:
    first = await trail.record(6)
    await trail.process(*range(first, first + 3))
    await trail.commit(first + 3)
    async with trail.checking():
        await trail.verified_up_to(first + 3)
    await trail.process(*range(first + 3, first + 6))
    await trail.commit(first + 6)
    before, redriven = await trail.findings(), (await trail.report()).redriven
    async with trail.checking():
        report = await trail.verified_up_to(first + 6)
    assert (report.state, report.redriven) == (State.COMPLETE, redriven)
    assert await trail.findings() == before


async def test_frames_that_retention_took_unseen_are_reported_as_lost(trail: Trail) -> None:
    """Last in this file: what is lost stays in the books for good."""
    first = await trail.record(5)
    await trail.process(first, first + 4)
    await delete_records(trail.kafka.bootstrap, "frames", {PARTITION: first + 3})
    await trail.commit(first + 5)
    async with trail.checking():
        report = await trail.verified_up_to(first + 5)
    assert (report.expired, report.state) == (2, State.INCOMPLETE)
    titles = [finding["title"] for finding in await trail.findings()][-2:]
    assert titles == [
        "3 processed frames of frames-1 are missing in audit; driving them again",
        "2 frames of frames-1 expired before they were seen in audit: lost",
    ]
