"""The first agent: frames of `audit` to observations, each to the homes of its rows."""

from collections.abc import Sequence
from typing import Any

from processors.anomaly.detector import Detector
from processors.anomaly.frames import open_audited
from processors.anomaly.joining import Joining, Placed, Seen
from processors.anomaly.metrics import Metrics
from processors.anomaly.routing import routed
from processors.anomaly.table import ByteTable
from processors.masking_step import Rejected
from processors.outlet import Outlet
from processors.records import Incoming, Outgoing
from processors.rejected import dead_letter
from schemas.codec import CodecError

COMPONENT = "processors.anomaly"
SEEN = "seen"  # no exchange has this id


class Observer:
    """Batches of frames in, observations out. `limit`: bytes of a dead letter."""

    def __init__(
        self,
        table: ByteTable,
        detector: Detector,
        outlet: Outlet,
        metrics: Metrics,
        *,
        partitions: int,
        limit: int,
    ) -> None:
        self._table = table
        self._detector = detector
        self._outlet = outlet
        self._metrics = metrics
        self._partitions = partitions
        self._limit = limit

    async def process(self, events: Sequence[Any]) -> None:
        """Observations first, then drafts, last what was seen; who calls acknowledges after all are durable.

        A partition's drafts and what was seen of it go to one partition of the changelog, which keeps their order.
        """
        last = {event.message.partition: event for event in events}
        joinings = {partition: self._joining(partition) for partition in last}
        outgoing: list[Outgoing] = []
        for event in events:
            outgoing += self._apply(event.message, joinings[event.message.partition])
        await self._outlet.send(outgoing)
        for partition, joining in joinings.items():
            for exchange, draft in joining.drafts.items():
                self._table.put(last[partition], exchange, draft)
            self._table.put(last[partition], SEEN, joining.seen.stored())
            self._metrics.again.inc(joining.again)
            self._metrics.orphans.inc(joining.orphans)
        await self._table.durable()
        self._metrics.frames.inc(len(events))

    def _joining(self, partition: int) -> Joining:
        seen = Seen.restored(self._table.get(partition, SEEN))
        return Joining(partition, seen, lambda exchange: self._table.get(partition, exchange))

    def _apply(self, message: Any, joining: Joining) -> list[Outgoing]:
        try:
            frame = open_audited(message.value or b"")
        except CodecError as error:
            record = Incoming(message.topic, message.partition, message.offset, message.key, message.value)
            self._metrics.rejected.inc()
            return [dead_letter(record, Rejected("undecodable", str(error)), self._limit, COMPONENT)]
        return [each for placed in joining.join(frame, message.offset) for each in self._routes(placed)]

    def _routes(self, placed: Placed) -> list[Outgoing]:
        return routed(placed, self._detector.homes(placed.seen), self._partitions)
