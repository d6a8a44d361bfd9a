"""Jira's webhooks: signed (`X-Hub-Signature: sha256=HEX` over the body, WebSub), fresh by their own timestamp, and
never believed beyond that something may have changed."""

import json
import time
from collections.abc import Callable

from starlette.datastructures import Headers

from console.integrations.metrics import Metrics
from console.integrations.nudges import Nudges
from console.integrations.reading import member
from console.integrations.secrets import Secrets
from console.integrations.settings import Jira
from console.integrations.signing import Unauthentic, Window, hex_hmac, same

WINDOW_SECONDS = 7_200.0
"""Jira repeats a webhook up to five times, with pauses of up to a quarter of an hour."""


def jira_nudges(
    settings: Jira, nudge: Callable[[], None], metrics: Metrics, *, clock: Callable[[], float] = time.time
) -> Nudges:
    """Where webhooks come in, when they are signed."""
    return Nudges(
        Secrets("jira", settings.webhook_secrets),
        Window(WINDOW_SECONDS, clock),
        _verified,
        nudge,
        metrics,
        vendor="jira",
        signed=bool(settings.webhook_secrets),
    )


def _verified(headers: Headers, body: bytes, secrets: Secrets, window: Window) -> str:
    """The signature, which no other webhook has."""
    signature = headers.get("x-hub-signature", "")
    if not same(signature, ["sha256=" + hex_hmac(secret, body) for secret in secrets.texts()]):
        raise Unauthentic("the signature does not fit")
    at = member(json.loads(body), "timestamp")
    window.fresh(str(at // 1_000) if isinstance(at, int) else "")
    return signature
