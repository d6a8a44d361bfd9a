"""Signed webhooks, out and in, with whatever service: the Standard Webhooks specification, version 1.

`channel` sends what is asked and what becomes of it, `words` takes decisions, `told` says what the JSON is.
"""

from console.integrations.webhooks.channel import WebhookChannel
from console.integrations.webhooks.words import WebhookWords

__all__ = ["WebhookChannel", "WebhookWords"]
