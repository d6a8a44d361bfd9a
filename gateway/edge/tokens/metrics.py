"""Prometheus metrics of session tokens."""

from dataclasses import dataclass, field

from prometheus_client import Counter


@dataclass(frozen=True)
class TokenMetrics:
    """What is counted. `action` and `outcome` come from closed lists."""

    requests: Counter = field(
        default_factory=lambda: Counter(
            "sluicegate_token_requests", "Requests for session tokens.", ["action", "outcome"]
        )
    )


METRICS = TokenMetrics()
