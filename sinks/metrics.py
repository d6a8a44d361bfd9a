"""What the store process counts, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS = (1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000)


class SinkMetrics:
    """The counters of one store process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows_stored = self._counter("rows_stored", "Rows stored", "table")
        self.duplicates = self._counter("duplicates_dropped", "Records that were stored already", "table")
        self.dead_letters = self._counter("dead_letters", "Records that could not be stored", "reason_code")
        self.retries = self._counter("retries", "Tries that the store or Kafka did not take")
        self.batches_replayed = self._counter("batches_replayed", "Batches in doubt that were cut again")
        self.batch_seconds = self._histogram("batch_seconds", "Seconds from cut to stored", _SECONDS)
        self.batch_rows = self._histogram("batch_rows", "Records in a batch", _ROWS)
        self.lag = Gauge(
            "sluicegate_sink_lag_records",
            "Records on the topic that are not stored yet",
            ["topic", "partition"],
            registry=self.registry,
        )
        self.ready = Gauge(
            "sluicegate_sink_ready", "1 while records are taken and stored", registry=self.registry
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"sluicegate_sink_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"sluicegate_sink_{name}", text, buckets=buckets, registry=self.registry)

    def page(self) -> bytes:
        """The page for /metrics, in Prometheus' text format."""
        return generate_latest(self.registry)
