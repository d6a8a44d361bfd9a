"""What a worker counts, in a registry of its own."""

from collections.abc import Sized

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The worker's figures; counted a batch at a time."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.audited = self._counter(
            "frames_audited", "Frames that were masked and are durable in topic audit."
        )
        self.rejected = Counter(
            "sluicegate_processor_frames_rejected",
            "Frames that went to dead-letters.",
            ["reason_code"],
            registry=self.registry,
        )
        self.redactions = self._counter("redactions", "Secrets that deep masking replaced.")
        self.late = self._counter(
            "late_redactions", "Secrets that the inline pass had let through to a client."
        )
        self.names = Gauge(
            "sluicegate_processor_names_available",
            "1 when the deep pass finds names and addresses, 0 when the extra `names` is not installed.",
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "sluicegate_processor_batch_seconds",
            "From a batch of frames to its acknowledged audit records.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.verified = self._gauge(
            "verified_offset", "All frames below this offset are known to be in audit."
        )
        self.missing = self._gauge("missing_frames", "Committed frames that audit lacks now.")
        self.expired = self._gauge(
            "expired_frames", "Frames lost: retention took them before they were seen."
        )
        self.redriven = self._gauge("redriven_frames", "Missing frames that were driven again.")

    def masked(self, deep: Sized, late: Sized) -> None:
        """Count what the deep pass replaced in one frame, and what of it came late."""
        if deep:
            self.redactions.inc(len(deep))
            self.late.inc(len(late))

    def _counter(self, name: str, help_text: str) -> Counter:
        return Counter(f"sluicegate_processor_{name}", help_text, registry=self.registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"sluicegate_completeness_{name}", help_text, ["partition"], registry=self.registry)
