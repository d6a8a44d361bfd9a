"""Prometheus metrics of what this process knows of approvals."""

from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram


@dataclass(frozen=True)
class ApprovalMetrics:
    """`state`, `kind`, `outcome` and `fault` come from closed lists."""

    settled: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_approvals_settled", "Settled records that changed what is known.", ["state"]
        )
    )
    ignored: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_approvals_ignored",
            "Records of approvals.settled that were not taken: forged, unreadable, or no room.",
            ["fault"],
        )
    )
    asked: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_approvals_asked", "Approvals asked for by this gateway.", ["kind", "outcome"]
        )
    )
    used: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_approvals_used", "Approvals that a held call was to run by.", ["outcome"]
        )
    )
    use_seconds: Histogram = field(
        default_factory=lambda: Histogram(
            "sluicegate_approvals_use_seconds",
            "From asking to run an approved call to the answer.",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
        )
    )
    known: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_approvals_known", "Approvals that are remembered.", multiprocess_mode="livemax"
        )
    )
    unheard_seconds: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_approvals_unheard_seconds",
            "For how long it is not known whether what is known of approvals is the latest.",
            multiprocess_mode="livemax",
        )
    )


METRICS = ApprovalMetrics()
