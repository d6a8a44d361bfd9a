"""Clicks on a message's buttons, and comments from the modal, taken to the desk.

Slack wants an answer within 3 seconds, and a modal is opened in as many. So a click is acknowledged at once; what
became of it is told to the person alone (chat.postEphemeral), and the message follows by the courier.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import structlog
from aiohttp import ClientSession
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.integrations.calls import TooLong, body_of, refused
from console.integrations.deciding import Decisions, Reply, Word, approval_id
from console.integrations.desk import DeskLike
from console.integrations.metrics import Metrics
from console.integrations.reading import text
from console.integrations.secrets import Secrets
from console.integrations.settings import Slack
from console.integrations.showing import View, view_of
from console.integrations.signing import Unauthentic, Window
from console.integrations.slack.api import SlackApi
from console.integrations.slack.blocks import CALLBACK, COMMENT, COMMENT_BLOCK, VERBS, modal
from console.integrations.slack.signature import WINDOW_SECONDS, verify
from console.integrations.vendor import DeliveryError
from gateway.edge.background import Background
from gateway.edge.credentials.injector import CredentialError

PATH = "/integrations/slack"
ANSWER_SECONDS = 2.0
GOODBYE_SECONDS = 5.0

log = structlog.get_logger("integrations")


class SlackClicks:
    """The request URL of the app's interactivity."""

    def __init__(
        self,
        settings: Slack,
        desk: DeskLike,
        http: ClientSession,
        metrics: Metrics,
        *,
        public_url: str = "",
        timeout_seconds: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._metrics = metrics
        self._desk = desk
        self._public_url = public_url
        self._decisions = Decisions(desk, "slack", metrics)
        self._secrets = Secrets("slack", settings.signing_secrets)
        self._window = Window(WINDOW_SECONDS, clock)
        self._api = SlackApi(settings, http, timeout_seconds)
        self._later = Background()

    def routes(self) -> list[Route]:
        """One."""
        return [Route(PATH, self._take, methods=["POST"])]

    async def stop(self) -> None:
        """Lets what is under way come to an end."""
        await self._later.stop(GOODBYE_SECONDS)

    async def _take(self, request: Request) -> Response:
        try:
            body = await body_of(request)
            verify(request.headers, body, self._secrets, self._window)
            payload = _payload(body)
        except Unauthentic as error:
            return refused(self._metrics, "slack", error, 401)
        except CredentialError as error:
            return refused(self._metrics, "slack", error, 503)
        except (TooLong, ClientDisconnect, ValueError, RecursionError) as error:
            return refused(self._metrics, "slack", error)
        match text(payload, "type"):
            case "block_actions" if not self._later.run(self._clicked(payload)):
                return Response(status_code=503)
            case "view_submission" if text(payload, "view", "callback_id") == CALLBACK:
                return await self._submitted(payload)
        return Response(status_code=200)

    async def _clicked(self, payload: Any) -> None:
        """A button; one without a verb (a link) needs nothing."""
        verb = VERBS.get(text(payload, "actions", 0, "action_id"))
        word = _word(payload, verb or "", text(payload, "actions", 0, "value"))
        standing = self._desk.standing(approval_id(word.approval_id))
        if verb is None:
            return
        channel, user = text(payload, "channel", "id"), text(payload, "user", "id")
        view = view_of(standing, self._public_url) if standing else None
        if view and (view.open or view.review_due) and view.comment_required:
            await self._ask(payload, view, verb, channel)
        else:
            await self._whisper(channel, user, await self._decisions.take(word))

    async def _ask(self, payload: Any, view: View, verb: str, channel: str) -> None:
        private = json.dumps({"approval": view.approval_id, "verb": verb, "channel": channel})
        try:
            await self._api.call(
                "views.open", trigger_id=text(payload, "trigger_id"), view=modal(view, verb, private)
            )
        except (DeliveryError, CredentialError) as error:
            log.warning("slack_modal_failed", approval=view.approval_id, reason=str(error))
            reply = Reply("unavailable", "Slack did not open the form for your comment; click once more.")
            await self._whisper(channel, text(payload, "user", "id"), reply)

    async def _submitted(self, payload: Any) -> Response:
        """The modal closes when the decision counts, and says why when it does not."""
        try:
            private = json.loads(text(payload, "view", "private_metadata"))
        except (ValueError, RecursionError):
            return Response(status_code=400)
        comment = text(payload, "view", "state", "values", COMMENT_BLOCK, COMMENT, "value")
        word = _word(payload, text(private, "verb"), text(private, "approval"), comment)
        deciding = asyncio.ensure_future(self._decisions.take(word))
        done, _ = await asyncio.wait([deciding], timeout=ANSWER_SECONDS)
        if not done:
            channel, user = text(private, "channel"), text(payload, "user", "id")
            self._later.run(self._whisper_later(channel, user, deciding))
            return Response(status_code=200)
        reply = deciding.result()
        if reply.outcome == "counted":
            return Response(status_code=200)
        return JSONResponse({"response_action": "errors", "errors": {COMMENT_BLOCK: reply.text}})

    async def _whisper_later(self, channel: str, user: str, deciding: "asyncio.Future[Reply]") -> None:
        await self._whisper(channel, user, await deciding)

    async def _whisper(self, channel: str, user: str, reply: Reply) -> None:
        """To the person alone, when the word did not count: the message itself tells the rest."""
        if reply.outcome == "counted" or not channel:
            return
        try:
            await self._api.call("chat.postEphemeral", channel=channel, user=user, text=_escaped(reply.text))
        except (DeliveryError, CredentialError) as error:
            log.warning("slack_reply_failed", reason=str(error))


def _word(payload: Any, verb: str, approval: str, comment: str = "") -> Word:
    """People of other workspaces (Slack Connect) are people of their own team."""
    team = text(payload, "user", "team_id") or text(payload, "team", "id")
    return Word(approval, verb, "slack", f"{team}/{text(payload, 'user', 'id')}", comment)


def _payload(body: bytes) -> Any:
    """The JSON in the form field `payload`. Raises ValueError."""
    found = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10)
    payload = json.loads(found["payload"][0]) if len(found.get("payload", ())) == 1 else None
    if not text(payload, "type"):
        raise ValueError("no payload")
    return payload


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
