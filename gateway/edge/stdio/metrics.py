"""Prometheus metrics of the programs behind stdio connections."""

from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge


@dataclass(frozen=True)
class StdioMetrics:
    """What is counted of programs. `connection` is a name from the configuration."""

    programs: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_stdio_programs",
            "Programs that run behind a connection.",
            ["connection"],
            multiprocess_mode="livesum",
        )
    )
    dropped: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_stdio_lines_dropped",
            "Lines of a program that reached no client: no JSON-RPC, nobody's answer, or nowhere to go.",
            ["connection", "reason"],
        )
    )


METRICS = StdioMetrics()
