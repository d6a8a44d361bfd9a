"""Prometheus metrics of the integrations. Label values come from the configuration or from closed lists."""

from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge


@dataclass(frozen=True)
class Metrics:
    """What is told, what fails, and what comes back."""

    told: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_integration_told",
            "Messages and tickets that were made or brought up to date, and tries that failed.",
            ["integration", "outcome"],
        )
    )
    behind: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_integration_behind",
            "Approvals that are to be told or brought up to date.",
            ["integration"],
        )
    )
    heard: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_integration_heard",
            "What came from people and vendors, by what became of it.",
            ["integration", "outcome"],
        )
    )


METRICS = Metrics()
