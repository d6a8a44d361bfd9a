"""Approvals as signed requests to somebody's service. The id of a message is that of what it tells, so a message that
is sent again is known again."""

import time
from collections.abc import Callable

from aiohttp import ClientSession

from console.integrations.channel import fits
from console.integrations.secrets import Secrets
from console.integrations.settings import Webhook
from console.integrations.showing import said
from console.integrations.signing import webhook_signature
from console.integrations.vendor import DeliveryError, Vendor
from console.integrations.webhooks.told import told
from console.standing import Standing


class WebhookChannel:
    """See `channel.Channel`."""

    def __init__(
        self,
        settings: Webhook,
        http: ClientSession,
        *,
        public_url: str = "",
        timeout_seconds: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = f"webhook.{settings.name}"
        self._settings = settings
        self._public_url = public_url
        self._secrets = Secrets(self.name, settings.secrets)
        self._vendor = Vendor(f"webhook {settings.name}", http, timeout_seconds)
        self._clock = clock

    def place(self, standing: Standing) -> str | None:
        """There is one."""
        return "" if self._settings.url and fits(self._settings.only, standing) else None

    async def find(self, standing: Standing, place: str) -> str:  # noqa: ARG002
        """Not needed: a message that comes twice has the same id."""
        return ""

    async def tell(self, standing: Standing, place: str) -> str:  # noqa: ARG002
        """The id of the message."""
        return await self._send(standing)

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:  # noqa: ARG002
        """Tells what changed."""
        await self._send(standing)

    async def _send(self, standing: Standing) -> str:
        now = self._clock()
        body = told(standing, self._public_url, now)
        message_id = f"msg_{standing.approval_id}_{said(standing).replace(':', '_')}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": self._signatures(message_id, str(int(now)), body),
        }
        await self._vendor.demand("POST", self._settings.url, headers=headers, body=body)
        return message_id

    def _signatures(self, message_id: str, timestamp: str, body: bytes) -> str:
        """One for each secret, so that the receiver may know the new one or the old."""
        try:
            return " ".join(
                webhook_signature(secret, message_id, timestamp, body) for secret in self._secrets.texts()
            )
        except ValueError as error:
            raise DeliveryError(str(error)) from None
