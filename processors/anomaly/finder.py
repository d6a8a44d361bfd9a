"""The second agent: observations into the rows of their keys, and findings out."""

from collections.abc import Callable, Sequence
from typing import Any

from processors.anomaly.detector import Detector
from processors.anomaly.finding import Finding
from processors.anomaly.metrics import Metrics
from processors.anomaly.observer import COMPONENT
from processors.anomaly.routing import opened
from processors.anomaly.rules import RuleSet
from processors.anomaly.state import State
from processors.anomaly.table import ByteTable
from processors.masking_step import Rejected
from processors.outlet import Outlet
from processors.records import Incoming, Outgoing
from processors.rejected import dead_letter
from schemas.codec import CodecError
from schemas.findings import finding_value

FINDINGS = "findings"
SWEPT = 200
"""Rows looked at after each batch, to drop those of no more use."""

Clock = Callable[[], int]
"""UTC in microseconds."""


class Part:
    """One partition of this worker: its rows in memory, and a place in the round of the sweep."""

    def __init__(self, rules: RuleSet, partition: int, table: ByteTable) -> None:
        self.state = State(lambda name: table.get(partition, name))
        self.detector = Detector(rules, self.state)
        self.round: list[str] = []
        self.now = 0


class Finder:
    """Batches of observations in, findings out. `forget` has to be called for each assignment."""

    def __init__(
        self,
        rules: RuleSet,
        table: ByteTable,
        outlet: Outlet,
        metrics: Metrics,
        *,
        limit: int,
        rows_max: int,
        responses: bool,
        now: Clock,
    ) -> None:
        self._rules = rules
        self._table = table
        self._outlet = outlet
        self._metrics = metrics
        self._limit = limit
        self._rows_max = rows_max
        self._responses = responses
        self._now = now
        self._parts: dict[int, Part] = {}

    def forget(self) -> None:
        """The partitions may have been another worker's meanwhile: what the table has is true."""
        self._parts.clear()

    async def process(self, events: Sequence[Any]) -> None:
        """Findings first, then the rows; who calls acknowledges after both are durable."""
        last = {event.message.partition: event for event in events}
        found: list[Finding] = []
        outgoing: list[Outgoing] = []
        for event in events:
            findings, letters = self._apply(event.message)
            found += findings
            outgoing += letters
        await self._outlet.send([*outgoing, *(self._told(each) for each in found)])
        self._count(found)
        for partition, event in last.items():
            self._write(partition, event)
        await self._table.durable()
        self._metrics.observed.inc(len(events))
        self._metrics.rows.set(len(self._table))

    def _part(self, partition: int) -> Part:
        part = self._parts.get(partition)
        if part is None:
            part = self._parts[partition] = Part(self._rules, partition, self._table)
        return part

    def _apply(self, message: Any) -> tuple[list[Finding], list[Outgoing]]:
        part = self._part(message.partition)
        try:
            seen, home, source = opened(message.value or b"")
        except CodecError as error:
            record = Incoming(message.topic, message.partition, message.offset, message.key, message.value)
            self._metrics.rejected.inc()
            return [], [dead_letter(record, Rejected("undecodable", str(error)), self._limit, COMPONENT)]
        part.now = max(part.now, seen.at)
        return part.detector.observe(seen, home, source), []

    def _told(self, finding: Finding) -> Outgoing:
        record = finding.record()
        if not self._responses:
            record["attributes"].pop("response", None)
        return Outgoing(FINDINGS, 0, finding.rule.encode(), finding_value(record))

    def _count(self, found: list[Finding]) -> None:
        now = self._now()
        for each in found:
            self._metrics.findings.labels(each.rule, each.act).inc()
            self._metrics.delay.observe(max(0, now - each.raised_at) / 1_000_000)

    def _write(self, partition: int, event: Any) -> None:
        part = self._part(partition)
        changed = part.state.written()
        shared = [
            name for name in changed if name.startswith("peers/")
        ]  # first: a repeat sets the same levels
        for name in [*shared, *(name for name in changed if name not in shared)]:
            self._table.put(event, name, changed[name])
        self._metrics.late.inc(part.state.late)
        part.state.late = 0
        part.state.shrink(self._rows_max)
        self._sweep(partition, part, event)

    def _sweep(self, partition: int, part: Part, event: Any) -> None:
        if not part.round:
            part.round = self._table.names(partition)
        for name in part.round[-SWEPT:]:
            row = part.state.find(name)
            if row is not None and row.outlived(part.now):
                part.state.drop(name)
                self._table.put(event, name, None)
        del part.round[-SWEPT:]
