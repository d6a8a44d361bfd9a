"""The consumer: Faust's, with the position, the acknowledgements and the commit taken over.

Gates. Revoking, assigning and stopping the flow close (`_hold`); records pass to streams again only after both the
seek of the new assignment (`perform_seek`) and the last emptying of the queues (Faust empties them in
`flow_control.resume()` and calls `resume_flow()` right after).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from time import monotonic
from typing import Any, ClassVar, NoReturn

import structlog
from aiokafka.errors import KafkaError
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.utils.futures import notify

from processors.strict.exits import exit_for_restart
from processors.strict.fetching import NOTHING, Fetched, fetch, start_positions
from processors.strict.progress import Progress
from processors.strict.watchdog import Watchdog

log = structlog.get_logger(__name__)

FETCH_SECONDS = 0.5
POLL_SECONDS = 5.0
PAUSE_SECONDS = 0.01
RETRY_SECONDS = 1.0
LONG_POLL_MS = 250


class StrictConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust is untyped here
    """Faust's consumer thread with shorter long polls.

    aiokafka has one fetch under way at a time: a partition whose buffer runs dry waits until the long poll of the
    idle ones returns, so that poll bounds the latency. Faust's 1.5 s are fixed in its code.
    """

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = LONG_POLL_MS
        return consumer


class StrictConsumer(driver.Consumer):  # type: ignore[misc]  # Faust is untyped here
    """Hands every record to its stream at least once, in order, and commits only what is finished."""

    stall_exit_seconds: ClassVar[float] = 60.0  # must exceed the slowest batch
    rebalance_exit_seconds: ClassVar[float] = 300.0  # must exceed the slowest table recovery
    held_bytes_max: ClassVar[int] = 16 * 1024 * 1024  # handed over and unfinished: above that fetching waits
    held_records_max: ClassVar[int] = (
        2_000  # with one fetch on top still below Faust's queue, which blocks at 4,096
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.progress = Progress()
        self._epoch = 0  # bumped whenever everything fetched so far must be forgotten
        self._sought = self._ready = False
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> StrictConsumerThread:
        return StrictConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def give_up(self, reason: str) -> NoReturn:
        """End the process for a restart: another worker, or this one started again, does the unfinished."""
        exit_for_restart(reason)

    # -- gates

    @property
    def ready(self) -> bool:
        """Records are flowing: the partitions are assigned and sought, and the tables recovered."""
        return self._ready

    def _hold(self) -> None:
        self._epoch += 1
        self._sought = self._ready = False

    def stop_flow(self) -> None:
        """Close the gate; Faust calls this when a rebalance begins."""
        self._hold()
        super().stop_flow()

    def resume_flow(self) -> None:
        """Open the gate, if the seek has been done; Faust calls this after it emptied the queues."""
        super().resume_flow()
        self._ready = self._sought

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """A new assignment: its seek and recovery follow."""
        self._hold()
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Finish and commit what is in flight, then forget: stock forgets first and cannot commit any more."""
        self._hold()
        self._active_partitions.difference_update(revoked)
        self._paused_partitions.difference_update(revoked)
        await self._on_partitions_revoked(revoked)
        self._forget(revoked)

    def _forget(self, tps: Iterable[Any]) -> None:
        gone = list(tps)
        self.progress.forget(gone)
        for tp in gone:
            for known in (self._acked, self._acked_index, self._read_offset, self._committed_offset):
                known.pop(tp, None)
        self._buffered_partitions.difference_update(gone)

    async def wait_empty(self) -> None:
        """Wait until what was handed over is finished and committed; gives up before the group evicts us."""
        limit = self.app.conf.broker_rebalance_timeout * 0.8
        emptied = asyncio.ensure_future(super().wait_empty())
        await asyncio.wait([emptied], timeout=limit)  # not wait_for: Faust swallows the cancellation inside
        if emptied.done():
            emptied.result()
        else:
            self.give_up(
                f"work in flight did not end in {limit:.0f} s, and the partitions go to another worker"
            )

    # -- positions and commits

    async def perform_seek(self) -> None:
        """Start each stream partition of the assignment from its commit."""
        epoch = self._epoch
        starts = await self._thread.call_thread(self._start_positions)
        if epoch != self._epoch:
            return  # another rebalance began; its own seek follows
        self._forget(starts)
        for tp, start in starts.items():
            self.progress.start(tp, start.position, start.committed)
        self._sought = True

    async def _start_positions(self) -> Any:
        consumer = self._thread._ensure_consumer()
        mine = [tp for tp in consumer.assignment() if not self._is_changelog_tp(tp)]
        return await start_positions(consumer, mine, self.app.conf.consumer_auto_offset_reset)

    def ack(self, message: Any) -> bool:
        """The record is finished. Not counted for a record of an older generation: it was given out again."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if message.generation_id == self.app.consumer_generation_id:
            self.progress.finish(message.tp, message.offset)
        notify(self._waiting_for_ack)
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> list[Any]:
        known = self.progress.partitions()
        return [tp for tp in known if topics is None or tp in topics or tp.topic in topics]

    def _filter_committable_offsets(self, tps: Iterable[Any]) -> dict[Any, int]:
        pairs = ((tp, self.progress.committable(tp)) for tp in tps)
        return {tp: offset for tp, offset in pairs if offset is not None}

    async def _commit_offsets(self, offsets: Mapping[Any, int], start_new_transaction: bool = True) -> bool:
        done: bool = await super()._commit_offsets(offsets, start_new_transaction)
        if done:
            for tp, offset in offsets.items():
                self.progress.committed(tp, offset)
        return done

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Nothing: the watchdog below judges stalls, and ends them."""

    # -- the loop

    async def _drain_messages(self, fetcher: Any) -> None:
        polled = 0.0
        while not (self.should_stop or fetcher.should_stop):
            epoch, want = self._epoch, self._wanted()
            try:
                fetched = NOTHING
                if want or monotonic() - polled > POLL_SECONDS:
                    polled = monotonic()
                    fetched = await self._thread.call_thread(self._fetch, want)
                if fetched.records and epoch == self._epoch:
                    await self._deliver(epoch, fetched)
                else:
                    await asyncio.sleep(PAUSE_SECONDS)
            except KafkaError as error:  # the broker is away, a record is broken: again; the watchdog judges
                log.warning("fetch_failed", error=type(error).__name__)
                await self.sleep(RETRY_SECONDS)
            except (asyncio.CancelledError, *self.consumer_stopped_errors):
                if not self.app.should_stop:
                    raise
                return

    def _wanted(self) -> dict[Any, int | None]:
        if not self.flow_active:
            return {}
        want: dict[Any, int | None] = {}
        room = (
            self.progress.held_bytes < self.held_bytes_max
            and self.progress.held_records < self.held_records_max
        )
        for tp in self._get_active_partitions():
            if self._is_changelog_tp(tp):
                want[tp] = None  # Faust's recovery positions these itself
            elif self._ready and room and tp in self.progress:
                want[tp] = self.progress.next(tp)
        return want

    async def _fetch(self, want: Mapping[Any, int | None]) -> Fetched:
        consumer = self._thread._ensure_consumer()
        if consumer._closed:
            raise self.consumer_stopped_errors[0]()
        return await fetch(consumer, want, FETCH_SECONDS, lambda: self.flow_active)

    async def _deliver(self, epoch: int, fetched: Fetched) -> None:
        for partition, records in fetched.records.items():
            tp = ensure_TP(partition)
            self.app.monitor.track_tp_end_offset(tp, self.highwater(partition))
            if not await self._deliver_partition(epoch, tp, records):
                return  # the rest will be fetched again: the position has not moved past it
            if tp in self.progress and epoch == self._epoch:
                self.progress.skip_to(tp, fetched.after[partition])

    async def _deliver_partition(self, epoch: int, tp: Any, records: list[Any]) -> bool:
        is_stream = not self._is_changelog_tp(tp)
        channels = self.app.topics._tp_index.get(tp, ())
        tracked = bool(is_stream and channels and self.app.topics.acks_enabled_for(tp.topic))
        for count, record in enumerate(records, 1):
            if epoch != self._epoch or not self.flow_active:
                return False
            if is_stream and not self._take_note(tp, record, tracked):
                continue
            await self._hand_over(self._to_message(tp, record), channels)
            if not count % 100:
                await asyncio.sleep(0)
        return True

    def _take_note(self, tp: Any, record: Any, tracked: bool) -> bool:
        if tracked:
            weight = len(record.value or b"") + len(record.key or b"")
            return self.progress.hand_over(tp, record.offset, weight)
        self.progress.skip_to(tp, record.offset + 1)
        return True

    async def _hand_over(self, message: Any, channels: Any) -> None:
        buffer = self.app.producer.buffer
        full = buffer.size > buffer.max_messages or any(channel.queue.full() for channel in channels)
        if full or not self.app.flow_control.is_active():
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
        else:
            await self.callback(message)  # cannot block

    # -- the watchdog

    @Service.task  # type: ignore[untyped-decorator]  # mode is untyped here
    async def _strict_watchdog(self) -> None:
        watchdog = Watchdog(self.stall_exit_seconds, self.rebalance_exit_seconds)
        ticks: AsyncIterator[float] = self.itertimer(POLL_SECONDS, name="strict-watchdog")
        async for _ in ticks:
            heads_and_ends = await self._heads_and_ends()
            if heads_and_ends is None:
                continue
            settled = self._ready or not (heads_and_ends or self.app.rebalancing)
            if fault := watchdog.look(monotonic(), settled, heads_and_ends if self._ready else {}):
                self.give_up(fault)

    async def _heads_and_ends(self) -> dict[Any, tuple[int | None, int]] | None:
        """Oldest unfinished offset and log end by stream partition; None while the broker cannot be asked."""
        try:
            tps = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
            ends = await asyncio.wait_for(self.highwaters(*tps), 30) if self._ready and tps else {}
        except (KafkaError, TimeoutError, driver.ConsumerNotStarted):
            return None
        return {tp: (self.progress.head(tp), ends.get(tp, 0)) for tp in tps}
