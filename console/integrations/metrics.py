"""Prometheus metrics of the integrations. Label values come from the configuration or from closed lists."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """What is told, what is late, and what comes back; one a process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.told = Counter(
            "sluicegate_integration_told",
            "Messages and tickets that were made or brought up to date, and tries that failed.",
            ["integration", "outcome"],
            registry=registry,
        )
        self.behind = Gauge(
            "sluicegate_integration_behind",
            "Approvals that are to be told or brought up to date.",
            ["integration"],
            registry=registry,
        )
        self.heard = Counter(
            "sluicegate_integration_heard",
            "What came from people and vendors, by what became of it.",
            ["integration", "outcome"],
            registry=registry,
        )
