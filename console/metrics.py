"""Prometheus metrics of a console process."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ConsoleMetrics:
    """What is counted. Names of approvals, people and comments are in none of them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.requests = Counter(
            "sluicegate_console_requests",
            "Requests to the console by operation and status.",
            ["operation", "status"],
            registry=self.registry,
        )
        self.decisions = Counter(
            "sluicegate_console_decisions",
            "Decisions by verb and what became of them: done, refused, unavailable.",
            ["verb", "outcome"],
            registry=self.registry,
        )
        self.decision_seconds = Histogram(
            "sluicegate_console_decision_seconds",
            "From a decision to the processor's answer, records of the act included.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.ignored = Counter(
            "sluicegate_console_records_ignored",
            "Records of approvals that were not believed, by topic.",
            ["topic"],
            registry=self.registry,
        )
        self.feeds = Gauge("sluicegate_console_feeds", "Open feeds of changes.", registry=self.registry)

    def approvals(self, kept: Callable[[], float], forgotten: Callable[[], float]) -> None:
        """Shows how many approvals are in memory, and how many open ones had no room there."""
        texts = {
            "sluicegate_console_approvals": ("Approvals in memory.", kept),
            "sluicegate_console_approvals_forgotten": (
                "Open approvals that there was no room for.",
                forgotten,
            ),
        }
        for name, (text, value) in texts.items():
            Gauge(name, text, registry=self.registry).set_function(value)

    def counted(self, app: ASGIApp) -> ASGIApp:
        """`app`, with each request counted once its answer begins."""

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    name = getattr(scope.get("endpoint"), "__qualname__", "none")
                    self.requests.labels(name.rpartition(">.")[2], str(message["status"])).inc()
                await send(message)

            await app(scope, receive, sending)

        return counting
