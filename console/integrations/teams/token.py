"""The bot's own token towards the Connector API (OAuth 2.0 client credentials at the bot's tenant)."""

import asyncio
import time
from collections.abc import Callable

from aiohttp import ClientSession

from console.integrations.secrets import Secrets
from console.integrations.settings import TeamsBot
from console.integrations.vendor import DeliveryError, Vendor

SCOPE = "https://api.botframework.com/.default"
EARLY_SECONDS = 300.0


class BotToken:
    """One token at a time, asked for anew before it ends."""

    def __init__(
        self,
        settings: TeamsBot,
        http: ClientSession,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{settings.login_url.rstrip('/')}/{settings.tenant_id}/oauth2/v2.0/token"
        self._app_id = settings.app_id
        self._secret = Secrets("teams", [settings.app_secret])
        self._vendor = Vendor("Microsoft's login", http, timeout_seconds)
        self._clock = clock
        self._text = ""
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def header(self) -> dict[str, str]:
        """`Authorization`. Raises DeliveryError, CredentialError."""
        async with self._asking:
            if self._clock() >= self._until:
                await self._ask()
        return {"Authorization": f"Bearer {self._text}"}

    def forget(self) -> None:
        """It was refused."""
        self._until = 0.0

    async def _ask(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._app_id,
            "client_secret": self._secret.text(),
            "scope": SCOPE,
        }
        answer = await self._vendor.demand("POST", self._url, headers={}, form=form)
        self._text, life = answer.text("access_token"), answer.member("expires_in")
        if not self._text or not isinstance(life, int | float):
            raise DeliveryError("Microsoft's login gave no token")
        self._until = self._clock() + max(life - EARLY_SECONDS, life / 2)
