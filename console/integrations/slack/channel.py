"""Approvals as messages in Slack's channels."""

from aiohttp import ClientSession

from console.integrations.channel import fits
from console.integrations.settings import Slack
from console.integrations.showing import view_of
from console.integrations.slack.api import SlackApi, SlackError
from console.integrations.slack.blocks import EVENT, blocks, fallback, metadata
from console.standing import Standing

CANNOT_LOOK = ("missing_scope", "not_in_channel", "channel_not_found", "access_denied")
"""The app may post without being allowed to read."""


class SlackChannel:
    """See `channel.Channel`."""

    name = "slack"

    def __init__(
        self, settings: Slack, http: ClientSession, *, public_url: str = "", timeout_seconds: float = 10.0
    ) -> None:
        self._targets = settings.targets
        self._public_url = public_url
        self._api = SlackApi(settings, http, timeout_seconds)

    def place(self, standing: Standing) -> str | None:
        """The first channel that fits."""
        return next((target.place for target in self._targets if fits(target.only, standing)), None)

    async def find(self, standing: Standing, place: str) -> str:
        """By the metadata of messages since it was asked; '' too where the app may not read the channel."""
        since = f"{standing.request['requested_at'] // 1_000_000 - 60}"
        try:
            answer = await self._api.read(
                "conversations.history",
                channel=place,
                oldest=since,
                include_all_metadata="true",
                limit="200",
            )
        except SlackError as error:
            if error.code in CANNOT_LOOK:
                return ""
            raise
        for number in range(len(answer.items("messages"))):
            path = ("messages", number, "metadata")
            named = answer.text(*path, "event_payload", "approval_id")
            if answer.text(*path, "event_type") == EVENT and named == standing.approval_id:
                return answer.text("messages", number, "ts")
        return ""

    async def tell(self, standing: Standing, place: str) -> str:
        """The `ts` of the message."""
        view = view_of(standing, self._public_url)
        answer = await self._api.call(
            "chat.postMessage",
            channel=place,
            text=fallback(view),
            blocks=blocks(view),
            metadata=metadata(view),
            unfurl_links=False,
            unfurl_media=False,
        )
        return answer.text("ts")

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:
        """A message that somebody deleted needs no update."""
        view = view_of(standing, self._public_url)
        try:
            await self._api.call(
                "chat.update",
                channel=place,
                ts=external_id,
                text=fallback(view),
                blocks=blocks(view),
                metadata=metadata(view),
            )
        except SlackError as error:
            if error.code != "message_not_found":
                raise
