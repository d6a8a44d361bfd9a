"""Calls of a business rule, signed as Standard Webhooks are: something may have changed; no more is believed."""

import time
from collections.abc import Callable

from console.integrations.metrics import Metrics
from console.integrations.nudges import Nudges
from console.integrations.secrets import Secrets
from console.integrations.settings import ServiceNow
from console.integrations.signing import Window
from console.integrations.webhooks.signature import verified

WINDOW_SECONDS = 300.0


def servicenow_nudges(
    settings: ServiceNow,
    nudge: Callable[[], None],
    metrics: Metrics,
    *,
    clock: Callable[[], float] = time.time,
) -> Nudges:
    """Where such calls come in, when they are signed."""
    return Nudges(
        Secrets("servicenow", settings.webhook_secrets),
        Window(WINDOW_SECONDS, clock),
        verified,
        nudge,
        metrics,
        vendor="servicenow",
        signed=bool(settings.webhook_secrets),
    )
