"""The gates of the strict consumer, without a broker: when records may pass, and whose acknowledgement counts."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from processors.strict import StrictApp, strict_settings
from processors.strict.consumer import StrictConsumer
from processors.strict.fetching import inside

PLACE = TP("frames", 0)


class GaveUpError(Exception):
    """Stands for the end of the process."""


class Consumer(StrictConsumer):
    """Raises where the real one ends the process."""

    def give_up(self, reason: str) -> NoReturn:
        """See the class."""
        raise GaveUpError(reason)


async def unused(*_: object) -> None:
    """A callback that no test reaches."""


@pytest.fixture
async def consumer(tmp_path: Path) -> AsyncIterator[Consumer]:
    """A consumer of an application that is not started, in generation 7."""
    app = StrictApp("gates", **strict_settings(broker="kafka://127.0.0.1:1", datadir=str(tmp_path)))
    app.consumer_generation_id = 7
    app.topic("frames")
    made = Consumer(
        app.transport, callback=unused, on_partitions_revoked=unused, on_partitions_assigned=unused
    )
    made.progress.start(PLACE, 10, 10)
    thread_loop = made._thread.thread_loop
    yield made
    thread_loop.close()


def message(offset: int, generation: int = 7) -> ConsumerMessage:
    """A record as Faust hands it to a stream."""
    return ConsumerMessage(
        "frames", 0, offset, 0.0, 0, None, b"k", b"v", None, 1, 1, PLACE, generation_id=generation
    )


async def test_records_pass_only_after_the_seek_and_after_the_queues_were_emptied(consumer: Consumer) -> None:
    consumer.resume_flow()
    assert not consumer.ready
    consumer._sought = True
    assert not consumer.ready
    consumer.resume_flow()
    assert consumer.ready


async def test_a_rebalance_closes_the_gate_until_its_own_seek(consumer: Consumer) -> None:
    consumer._sought = True
    consumer.resume_flow()
    consumer.stop_flow()
    assert not consumer.ready
    consumer.resume_flow()
    assert not consumer.ready


async def test_a_seek_that_a_newer_rebalance_overtook_changes_nothing(consumer: Consumer) -> None:
    async def call_thread(_function: object) -> dict[TP, object]:
        consumer.stop_flow()
        return {PLACE: SimpleNamespace(committed=99, position=99)}

    consumer._thread = SimpleNamespace(call_thread=call_thread)
    await consumer.perform_seek()
    consumer.resume_flow()
    assert not consumer.ready
    assert consumer.progress.next(PLACE) == 10


async def test_an_acknowledgement_of_this_generation_frees_the_offset(consumer: Consumer) -> None:
    consumer.progress.hand_over(PLACE, 10, 1)
    assert consumer.ack(message(10))
    assert consumer._filter_committable_offsets([PLACE]) == {PLACE: 11}


async def test_an_acknowledgement_of_an_older_generation_does_not_count(consumer: Consumer) -> None:
    consumer.progress.hand_over(PLACE, 10, 1)
    consumer.ack(message(10, generation=6))
    assert consumer._filter_committable_offsets([PLACE]) == {}
    assert consumer.ack(message(10))
    assert consumer._filter_committable_offsets([PLACE]) == {PLACE: 11}


async def test_what_faust_notes_as_acknowledged_behind_our_back_does_not_count(consumer: Consumer) -> None:
    """Faust acknowledges records it skips in a rebalance into its own index."""
    consumer.progress.hand_over(PLACE, 10, 1)
    consumer._acked[PLACE].append(10)
    consumer._acked_index[PLACE].add(10)
    assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {}


async def test_no_partition_is_asked_for_while_the_gate_is_closed(consumer: Consumer) -> None:
    consumer._active_partitions = {PLACE}
    consumer.flow_active = True
    assert consumer._wanted() == {}
    consumer._sought = True
    consumer.resume_flow()
    assert consumer._wanted() == {PLACE: 10}


async def test_fetching_waits_while_too_much_is_unfinished(consumer: Consumer) -> None:
    consumer._active_partitions = {PLACE}
    consumer._sought = True
    consumer.resume_flow()
    consumer.progress.hand_over(PLACE, 10, consumer.held_bytes_max)
    assert consumer._wanted() == {}
    consumer.ack(message(10))
    assert consumer._wanted() == {PLACE: 11}


async def test_work_that_does_not_end_before_the_group_evicts_us_ends_the_process(consumer: Consumer) -> None:
    consumer.app.conf.broker_rebalance_timeout = 0.01
    unfinished = message(10)
    consumer._unacked_messages.add(unfinished)
    with pytest.raises(GaveUpError, match="did not end"):
        await consumer.wait_empty()
    consumer._unacked_messages.clear()
    consumer.ack(message(11))  # wakes what still waits


async def test_an_agent_that_raises_ends_the_process_without_telling_the_record(consumer: Consumer) -> None:
    consumer.app._consumer = consumer
    with pytest.raises(GaveUpError) as told:
        await consumer.app._on_agent_error(SimpleNamespace(name="mask_frames"), ValueError("hunter2"))
    assert str(told.value) == "agent mask_frames raised ValueError"


@pytest.mark.parametrize(("offset", "expected"), [(4, 5), (5, 5), (7, 7), (9, 9), (10, 5)])
def test_a_position_outside_the_log_goes_to_its_beginning(offset: int, expected: int) -> None:
    assert inside(PLACE, offset, 5, 9) == expected
