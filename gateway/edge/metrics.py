"""Prometheus metrics of the gateway. Label values come from the configuration or from closed lists only."""

from dataclasses import dataclass, field
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True)
class Metrics:
    """What the gateway counts and times."""

    exchanges: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_exchanges", "Exchanges that ended.", ["connection", "verdict", "outcome"]
        )
    )
    refused: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_refused", "Requests that the gateway itself refused.", ["reason"]
        )
    )
    added_seconds: Histogram = field(
        default_factory=lambda: Histogram(
            "sluicegate_added_seconds",
            "What an exchange took beside the waits on upstream.",
            buckets=_SECONDS,
        )
    )
    exchange_seconds: Histogram = field(
        default_factory=lambda: Histogram(
            "sluicegate_exchange_seconds", "Whole exchange, upstream included.", buckets=_SECONDS
        )
    )
    record_seconds: Histogram = field(
        default_factory=lambda: Histogram(
            "sluicegate_record_seconds",
            "From a frame's sealing to Kafka's acknowledgement.",
            buckets=_SECONDS,
        )
    )
    sealed_lost: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_originals_lost", "Sealed originals that could not be kept."
        )
    )
    in_flight: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_exchanges_in_flight", "Exchanges under way.", multiprocess_mode="livesum"
        )
    )
    clock_skew_seconds: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_clock_skew_seconds",
            "How far the clock has jumped; 0 while it goes evenly.",
            multiprocess_mode="mostrecent",
        )
    )
    unrecorded: Gauge = field(
        default_factory=lambda: Gauge(
            "sluicegate_frames_unacknowledged", "Frames queued for Kafka.", multiprocess_mode="livesum"
        )
    )


METRICS = Metrics()


@lru_cache(maxsize=4096)
def ended(connection: str, verdict: str, outcome: str) -> Counter:
    """The counter of exchanges of `connection` that ended so."""
    return METRICS.exchanges.labels(connection, verdict, outcome)


@lru_cache(maxsize=256)
def refused(reason_code: str) -> Counter:
    """The counter of refusals for a reason; reason codes are a closed list."""
    return METRICS.refused.labels(reason_code)
