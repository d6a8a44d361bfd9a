"""A lane: the frames that one gateway process writes to one partition, in order, chained, without gaps.

A frame gets its number and digest when it enters the lane; from then on its bytes are fixed. One batch is in
flight at a time and what comes meanwhile goes into the next, so that the cost of an acknowledgement is shared.
A batch whose fate is unknown is sent again, byte for byte, until Kafka has it: the idempotent producer makes
that harmless while it lives, and after it the frame id does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import cast

from schemas.digests import GENESIS
from schemas.frames import FrameHeader, seal_frame

BATCH_BYTES_MAX = 1024 * 1024
BATCH_FRAMES_MAX = 2_000


class Ticket:
    """A frame on its way: what to put on the topic, and the future that its acknowledgement completes."""

    __slots__ = ("acknowledged", "entered", "key", "timestamp_ms", "value")

    def __init__(self, key: bytes, value: bytes, timestamp_ms: int, entered: float) -> None:
        self.key = key
        self.value = value
        self.timestamp_ms = timestamp_ms
        self.entered = entered
        self.acknowledged: asyncio.Future[bool] | None = None

    def awaited(self) -> asyncio.Future[bool]:
        """Completes with True when Kafka has the frame, with False when waiting for that was given up."""
        if self.acknowledged is None:
            self.acknowledged = asyncio.get_running_loop().create_future()
        return self.acknowledged


Deliver = Callable[[int, list[Ticket]], Awaitable[None]]


class Lane:
    """Frames for one partition. `deliver` sends a batch and returns when, and only when, Kafka has it."""

    def __init__(self, name: str, partition: int, deliver: Deliver) -> None:
        self.name = name
        self.partition = partition
        self.pending: deque[Ticket] = deque()
        self.in_flight: list[Ticket] = []
        self.batch_bytes_max = BATCH_BYTES_MAX
        self._deliver = deliver
        self._sequence = 0
        self._previous = GENESIS
        self._wakeup: asyncio.Future[None] | None = None

    def enter(self, header: FrameHeader, body: bytes, salt: bytes, key: bytes, now: float) -> Ticket:
        """Numbers, chains and queues one frame; `header` lacks nothing but lane, lane_seq and prev_digest."""
        header["lane"] = self.name
        header["lane_seq"] = self._sequence + 1
        header["prev_digest"] = self._previous
        value, digest = seal_frame(header, body, salt)
        self._sequence += 1
        self._previous = digest
        ticket = Ticket(key, value, header["recorded_at"] // 1000, now)
        self.pending.append(ticket)
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)
        return ticket

    async def run(self) -> None:
        """Delivers batches until cancelled."""
        while True:
            if not self.pending:
                self._wakeup = asyncio.get_running_loop().create_future()
                await self._wakeup
                self._wakeup = None
            self.in_flight = self._take()
            await self._deliver(self.partition, self.in_flight)
            for ticket in self.in_flight:
                waiting = ticket.acknowledged
                if waiting is not None and not waiting.done():
                    waiting.set_result(True)
            self.in_flight = []

    async def drained(self) -> None:
        """Returns when every frame that entered before this call is acknowledged."""
        tickets = [*self.in_flight, *self.pending]
        if tickets:
            last = tickets[-1]
            while not await last.awaited():  # a wait that was given up before is not the end of the frame
                last.acknowledged = None

    def oldest(self) -> float | None:
        """When the oldest frame entered that is not acknowledged; None when there is none."""
        if self.in_flight:
            return self.in_flight[0].entered
        return self.pending[0].entered if self.pending else None

    def expire(self, before: float) -> None:
        """Gives up waiting for frames that entered before that time; they stay queued and will be recorded."""
        for tickets in (self.in_flight, self.pending):
            for ticket in tickets:
                if ticket.entered >= before:
                    break
                if ticket.acknowledged is not None and not ticket.acknowledged.done():
                    ticket.acknowledged.set_result(False)

    def _take(self) -> list[Ticket]:
        batch: list[Ticket] = []
        size = 0
        while self.pending and len(batch) < BATCH_FRAMES_MAX:
            size += len(self.pending[0].value) + 128
            if batch and size > self.batch_bytes_max:
                break
            batch.append(self.pending.popleft())
        return batch


def header_of(fields: dict[str, object]) -> FrameHeader:
    """A frame's fields, known to be complete, under their type."""
    return cast("FrameHeader", fields)
