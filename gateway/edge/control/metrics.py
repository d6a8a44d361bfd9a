"""Prometheus metrics of what is in force."""

from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge


@dataclass(frozen=True)
class ControlMetrics:
    """What is counted of topic `control`. `kind` comes from the schema."""

    changes: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_control_changes", "Records of topic control that changed the state.", ["kind"]
        )
    )
    unreadable: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_control_unreadable", "Records of topic control that were ignored."
        )
    )
    unheard_seconds: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_control_unheard_seconds",
            "For how long it is not known whether what is in force is the latest.",
            multiprocess_mode="livemax",
        )
    )
    caught_up: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_control_caught_up",
            "1 once the whole topic control was read.",
            multiprocess_mode="livemin",
        )
    )


METRICS = ControlMetrics()
