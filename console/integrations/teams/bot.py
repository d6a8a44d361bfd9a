"""Approvals as Adaptive Cards that a bot posts into channels, and updates."""

import json
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession

from console.integrations.channel import fits
from console.integrations.settings import TeamsBot
from console.integrations.showing import view_of
from console.integrations.teams.cards import attachment, card
from console.integrations.teams.token import BotToken
from console.integrations.vendor import Answer, DeliveryError, Vendor, reason_of
from console.standing import Standing

ARGUMENTS_MAX = 8_000
"""A message may have about 28 KB."""


class TeamsBotChannel:
    """See `channel.Channel`. The service's address is the configured one: the token goes nowhere else."""

    name = "teams"

    def __init__(
        self, settings: TeamsBot, http: ClientSession, *, public_url: str = "", timeout_seconds: float = 10.0
    ) -> None:
        self._settings = settings
        self._public_url = public_url
        self._token = BotToken(settings, http, timeout_seconds)
        self._vendor = Vendor("Teams", http, timeout_seconds)

    def place(self, standing: Standing) -> str | None:
        """The first channel that fits."""
        targets = self._settings.targets
        return next((target.place for target in targets if fits(target.only, standing)), None)

    async def find(self, standing: Standing, place: str) -> str:  # noqa: ARG002
        """A bot cannot look for its messages: one of doubtful end is sent again."""
        return ""

    async def tell(self, standing: Standing, place: str) -> str:
        """A new conversation in the channel; its id and that of the card, as JSON."""
        document = {
            "isGroup": True,
            "bot": {"id": f"28:{self._settings.app_id}"},
            "tenantId": self._settings.tenant_id,
            "channelData": {"channel": {"id": place}, "tenant": {"id": self._settings.tenant_id}},
            "activity": self._activity(standing),
        }
        answer = await self._call("POST", "v3/conversations", document)
        found = [answer.text("id"), answer.text("activityId")]
        if not all(found):
            raise DeliveryError("Teams did not say which message it made")
        return json.dumps(found)

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:  # noqa: ARG002
        """A card that somebody deleted needs no update."""
        conversation, activity = (quote(each, safe="") for each in json.loads(external_id))
        path = f"v3/conversations/{conversation}/activities/{activity}"
        await self._call("PUT", path, self._activity(standing), gone=True)

    def _activity(self, standing: Standing) -> dict[str, Any]:
        view = view_of(standing, self._public_url, ARGUMENTS_MAX)
        return attachment(card(view, decide=True))

    async def _call(self, method: str, path: str, document: Any, *, gone: bool = False) -> Answer:
        url = f"{self._settings.service_url.rstrip('/')}/{path}"
        headers = await self._token.header()
        answer = await self._vendor.ask(method, url, headers=headers, json_body=document)
        if answer.status == 401:
            self._token.forget()
        if not 200 <= answer.status < 300 and not (gone and answer.status == 404):
            raise DeliveryError(f"Teams refused with status {answer.status}{reason_of(answer)}")
        return answer
