"""What the checkpointer counts, in a registry of its own. Labels are partitions and the anchors of the settings."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class CheckpointMetrics:
    """The worker's figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.signed = self._counter(
            "signed", "Checkpoints that are signed and durable on the topic.", "partition"
        )
        self.leaves = self._counter(
            "leaves", "Records of audit that a signed checkpoint covers.", "partition"
        )
        self.size = self._gauge("tree_size", "Leaves of the newest signed checkpoint.", "partition")
        self.waiting = self._gauge(
            "waiting_leaves", "Records read that no checkpoint covers yet.", "partition"
        )
        self.refused = self._gauge(
            "refused", "1 while nothing is signed because history does not agree.", "partition"
        )
        self.last = self._gauge(
            "last_signed_seconds", "When the newest was signed, in Unix seconds.", "partition"
        )
        self.attempts = self._counter(
            "anchor_attempts", "Attempts to anchor, by how it went.", "anchor", "outcome"
        )
        self.anchored = self._gauge(
            "anchored_size", "Leaves of the newest anchored checkpoint.", "anchor", "partition"
        )
        self.failing = self._gauge("anchor_failing", "1 while the last attempt failed.", "anchor")
        self.seconds = Histogram(
            "sluicegate_checkpoints_sign_seconds",
            "From a draft to its durable checkpoint.",
            buckets=BUCKETS,
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"sluicegate_checkpoints_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"sluicegate_checkpoints_{name}", text, labels, registry=self.registry)
