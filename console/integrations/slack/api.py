"""Slack's Web API: JSON in, JSON out, `ok` says whether it was done."""

from typing import Any

from aiohttp import ClientSession

from console.integrations.secrets import Secrets
from console.integrations.settings import Slack
from console.integrations.vendor import Answer, DeliveryError, Vendor, code_of


class SlackError(DeliveryError):
    """Slack answered, and said no; `code` is its word for why."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"Slack refused {method}: {code}")
        self.code = code


class SlackApi:
    """Calls as the app's bot."""

    def __init__(self, settings: Slack, http: ClientSession, timeout_seconds: float) -> None:
        self._url = settings.api_url.rstrip("/")
        self._token = Secrets("slack", [settings.bot_token])
        self._vendor = Vendor("Slack", http, timeout_seconds)

    async def call(self, method: str, **arguments: Any) -> Answer:
        """The answer. Raises SlackError, DeliveryError, CredentialError."""
        answer = await self._vendor.demand(
            "POST", f"{self._url}/{method}", headers=self._headers(), json_body=arguments
        )
        return self._checked(method, answer)

    async def read(self, method: str, **arguments: str) -> Answer:
        """As `call`, for methods that take no JSON."""
        answer = await self._vendor.demand(
            "GET", f"{self._url}/{method}", headers=self._headers(), query=arguments
        )
        return self._checked(method, answer)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token.text()}"}

    def _checked(self, method: str, answer: Answer) -> Answer:
        if answer.member("ok") is not True:
            raise SlackError(method, code_of(answer.text("error")))
        return answer
