"""What the alerts worker counts, in a registry of its own. Labels come from the configuration and closed lists."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from processors.alerts.board import Board

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class AlertMetrics:
    """The worker's figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.findings = self._counter(
            "findings", "Acts of findings, by what came of them: told, known, silenced, unwanted.", "outcome"
        )
        self.attempts = self._counter("attempts", "Messages, by route and how it went.", "route", "outcome")
        self.responses = self._counter(
            "responses", "Responses to findings, by what and how it went.", "act", "outcome"
        )
        self.waiting = self._gauge("waiting_findings", "Findings that a URL has still to be told of.")
        self.failing = self._gauge("failing", "1 while the last attempt at a URL failed.")
        self.seconds = Histogram(
            "sluicegate_alerts_attempt_seconds",
            "How long a service took to take a message, or to fail.",
            buckets=BUCKETS,
            registry=self.registry,
        )

    def observe(self, board: Board) -> None:
        """Bring the gauges up to date."""
        for target, count in board.waiting().items():
            self.waiting.labels(target.route, str(target.url)).set(count)
        for target, failing in board.failing().items():
            self.failing.labels(target.route, str(target.url)).set(failing)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"sluicegate_alerts_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"sluicegate_alerts_{name}", text, ["route", "url"], registry=self.registry)
