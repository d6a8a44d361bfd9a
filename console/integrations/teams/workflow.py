"""Approvals as cards that a workflow posts, another at each change. They link to the console."""

from typing import Any

from aiohttp import ClientSession

from console.integrations.channel import fits
from console.integrations.secrets import Secrets
from console.integrations.settings import TeamsWorkflow
from console.integrations.showing import view_of
from console.integrations.teams.cards import attachment, card
from console.integrations.vendor import Vendor
from console.standing import Standing

POSTED = "posted"
"""A workflow does not say what it made."""


class TeamsWorkflowChannel:
    """See `channel.Channel`."""

    name = "teams"

    def __init__(
        self,
        settings: TeamsWorkflow,
        http: ClientSession,
        *,
        public_url: str = "",
        timeout_seconds: float = 10.0,
    ) -> None:
        self._only = settings.only
        self._public_url = public_url
        self._url = Secrets("teams", [settings.url])
        self._vendor = Vendor("the Teams workflow", http, timeout_seconds)

    def place(self, standing: Standing) -> str | None:
        """The workflow knows where."""
        return "" if fits(self._only, standing) else None

    async def find(self, standing: Standing, place: str) -> str:  # noqa: ARG002
        """Nothing can be asked of a workflow: what is of doubtful end is sent again."""
        return ""

    async def tell(self, standing: Standing, place: str) -> str:  # noqa: ARG002
        """Posts the card."""
        await self._post(card(view_of(standing, self._public_url), decide=False))
        return POSTED

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:  # noqa: ARG002
        """Posts another: a workflow changes none."""
        await self._post(card(view_of(standing, self._public_url), decide=False))

    async def _post(self, content: dict[str, Any]) -> None:
        await self._vendor.demand("POST", self._url.text(), headers={}, json_body=attachment(content))
