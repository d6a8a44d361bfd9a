"""What an anomaly worker counts, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The worker's figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.frames = self._counter("frames", "Frames of topic audit that were read.")
        self.again = self._counter(
            "frames_again", "Frames that were in topic audit before; not counted twice."
        )
        self.orphans = self._counter("orphans", "Answers whose request is not known.")
        self.observed = self._counter("observations", "Observations folded, once for each home.")
        self.late = self._counter(
            "late", "Times that a call was older than the lateness allows, and is in no window of a key."
        )
        self.rejected = self._counter("rejected", "Records that went to dead-letters.")
        self.findings = Counter(
            "sluicegate_anomaly_findings",
            "Findings, by rule and act.",
            ["rule", "act"],
            registry=self.registry,
        )
        self.delay = Histogram(
            "sluicegate_anomaly_finding_delay_seconds",
            "From the frame that completed a finding, as the gateway recorded it, to the durable finding.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "sluicegate_anomaly_batch_seconds",
            "From a batch of records to its durable results.",
            ["stage"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.rows = Gauge(
            "sluicegate_anomaly_rows", "Rows of keys that this worker holds.", registry=self.registry
        )

    def _counter(self, name: str, help_text: str) -> Counter:
        return Counter(f"sluicegate_anomaly_{name}", help_text, registry=self.registry)
