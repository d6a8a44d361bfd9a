"""Clicks on a card (invoke activities `adaptiveCard/action`), taken to the desk.

The person is the Entra object id that the Connector vouches for; only people of the configured tenant are heard.
"""

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.integrations.calls import TooLong, body_of, refused
from console.integrations.deciding import Decisions, Reply, Word
from console.integrations.desk import DeskLike
from console.integrations.metrics import Metrics
from console.integrations.reading import member, text
from console.integrations.settings import TeamsBot
from console.integrations.showing import view_of
from console.integrations.signing import Unauthentic, Window
from console.integrations.teams.bot import ARGUMENTS_MAX
from console.integrations.teams.cards import COMMENT, KIND, card
from console.integrations.teams.identity import ConnectorIdentity, ConnectorKeys

PATH = "/integrations/teams"
MESSAGE = "application/vnd.microsoft.activity.message"
REMEMBER_SECONDS = 86_400.0
"""Longer than any token of the Connector lives: with it, an activity could be sent again."""


class TeamsInvokes:
    """The messaging endpoint of the bot."""

    def __init__(
        self,
        settings: TeamsBot,
        desk: DeskLike,
        metrics: Metrics,
        *,
        public_url: str = "",
        identity: ConnectorIdentity | None = None,
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._desk = desk
        self._public_url = public_url
        self._decisions = Decisions(desk, "teams", metrics)
        self._identity = identity or ConnectorIdentity(settings, ConnectorKeys(settings.openid_url))
        self._window = Window(REMEMBER_SECONDS)

    def routes(self) -> list[Route]:
        """One."""
        return [Route(PATH, self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        try:
            activity = json.loads(await body_of(request))
            await self._identity.verify(request.headers.get("authorization", ""), activity)
            if text(activity, "type") != "invoke" or text(activity, "name") != "adaptiveCard/action":
                return Response(status_code=200)
            self._first(activity)
        except Unauthentic as error:
            return refused(self._metrics, "teams", error, 403)
        except (TooLong, ClientDisconnect, ValueError, RecursionError) as error:
            return refused(self._metrics, "teams", error)
        word = self._word(activity)
        return self._answer(word, await self._decisions.take(word))

    def _first(self, activity: Any) -> None:
        """Raises Unauthentic for another tenant, and for what was there before."""
        tenants = (text(activity, "channelData", "tenant", "id"), text(activity, "conversation", "tenantId"))
        if {each for each in tenants if each} != {self._settings.tenant_id}:
            raise Unauthentic("the activity is of another tenant")
        name = text(activity, "id")
        if not name or not self._window.first(name):
            raise Unauthentic("this was here before")

    def _word(self, activity: Any) -> Word:
        action = member(activity, "value", "action")
        who = f"{self._settings.tenant_id}/{text(activity, 'from', 'aadObjectId')}"
        data = member(action, "data")
        return Word(text(data, "approval"), text(action, "verb"), "teams", who, text(data, COMMENT))

    def _answer(self, word: Word, reply: Reply) -> Response:
        """The card as it is now, when the word counts; else why it does not."""
        standing = self._desk.standing(word.approval_id)
        if reply.outcome != "counted" or standing is None:
            return JSONResponse({"statusCode": 200, "type": MESSAGE, "value": reply.text})
        view = view_of(standing, self._public_url, ARGUMENTS_MAX)
        return JSONResponse({"statusCode": 200, "type": KIND, "value": card(view, decide=True)})
