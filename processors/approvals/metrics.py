"""What an approvals worker counts, in a registry of its own. Labels come from closed lists."""

import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from processors.approvals.entry import Row
from processors.approvals.tally import Tally

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MICROS = 1_000_000


class Pending:
    """When each approval that waits was asked for, by id, of the partitions that are this worker's."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def note(self, rows: Iterable[Row]) -> None:
        """Rows as they are now; clocks among them are passed over."""
        for row in rows:
            if "approval_id" not in row:
                continue
            if row["request"] and row["state"] == "pending":
                self._asked[row["approval_id"]] = (row["partition"], row["request"]["requested_at"])
            else:
                self._asked.pop(row["approval_id"], None)

    def keep(self, partitions: Iterable[int]) -> None:
        """Forget those of other partitions."""
        own = set(partitions)
        self._asked = {name: found for name, found in self._asked.items() if found[0] in own}

    def oldest_seconds(self, now: int) -> float:
        """How long the oldest has waited at `now` (UTC in microseconds); 0 when none waits."""
        first = min((asked for _, asked in self._asked.values()), default=now)
        return max(0, now - first) / _MICROS


class ApprovalMetrics:
    """The worker's figures; counted a batch at a time, once the batch is durable."""

    def __init__(self, now: Callable[[], int] = lambda: time.time_ns() // 1_000) -> None:
        self.registry = CollectorRegistry()
        self.pending = Pending()
        self._settled = self._counter("settled", "Approvals that came to this state.", "state")
        self._refused = self._counter(
            "refused_decisions", "Decisions that changed nothing, by the rule of their finding.", "rule"
        )
        self._rejected = self._counter("rejected", "Records that went to dead-letters.", "reason_code")
        self._uses = self._counter("uses", "Times that a call was let run by an approval.")
        self._ticks = self._counter("ticks", "Moments of a partition that were read.")
        self._batch = Histogram(
            "sluicegate_processor_approvals_batch_seconds",
            "From a batch of records to its acknowledged answers.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._gauge("pending", "Approvals that wait for a decision.", lambda: float(len(self.pending)))
        self._gauge(
            "oldest_pending_seconds",
            "How long the oldest of them has waited; 0 when none does.",
            lambda: self.pending.oldest_seconds(now()),
        )

    def add(self, tally: Tally, rows: Mapping[tuple[int, bytes], Row | None], seconds: float) -> None:
        """One durable batch: what it came to, the rows after it, and how long it took."""
        for counter, counts in (
            (self._settled, tally.settled),
            (self._refused, tally.refused),
            (self._rejected, tally.rejected),
        ):
            for label, count in counts.items():
                counter.labels(label).inc(count)
        self._uses.inc(tally.uses)
        self._ticks.inc(tally.ticks)
        self._batch.observe(seconds)
        self.pending.note(row for row in rows.values() if row)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"sluicegate_processor_approvals_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(f"sluicegate_processor_approvals_{name}", text, registry=self.registry).set_function(value)
