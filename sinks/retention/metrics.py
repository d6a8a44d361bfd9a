"""What forgetting counts, in the registry of the store process."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from sinks.retention.job import Report


class RetentionMetrics:
    """The counters of one store process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rows = Counter(
            "sluicegate_retention_rows",
            "Rows that went (row), lost their body (body) or were rewritten (erased)",
            ["what"],
            registry=registry,
        )
        self._faults = Counter(
            "sluicegate_retention_faults",
            "Rounds that did not come to their end, tombstones that nobody believes",
            ["reason"],
            registry=registry,
        )
        self._held = Gauge(
            "sluicegate_retention_held_rows",
            "Rows that a tombstone names and a hold that came later keeps",
            registry=registry,
        )
        self._shorter = Gauge(
            "sluicegate_retention_file_shorter",
            "1 while the file keeps something for a shorter time than the rules in force, which has no effect",
            registry=registry,
        )
        self._last = Gauge(
            "sluicegate_retention_last_round_seconds",
            "When the last round ended (Unix time)",
            registry=registry,
        )

    def round(self, report: Report) -> None:
        """A round ended."""
        for what, rows in (("row", report.rows), ("body", report.bodies), ("erased", report.erased)):
            self._rows.labels(what).inc(rows)
        self._faults.labels("not_believed").inc(report.not_believed)
        self._held.set(report.kept_by_hold)
        self._shorter.set(bool(report.shortened_in_file))
        self._last.set_to_current_time()

    def fault(self, reason: str) -> None:
        """A round did not come to its end."""
        self._faults.labels(reason).inc()
