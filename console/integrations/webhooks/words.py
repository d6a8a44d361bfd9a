"""Decisions by signed requests: `{"type": "approval.decision", "data": {…}}` with `approval_id`, `verb` (approve,
deny or review), `person` and maybe `comment`.

Who holds the secret vouches for the people of that webhook, and for nobody else's: they are `webhook:NAME/PERSON`.
A message that comes again changes nothing, and is told how the approval stands.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.integrations.calls import TooLong, body_of, refused
from console.integrations.deciding import Decisions, Outcome, Word, approval_id
from console.integrations.desk import DeskLike
from console.integrations.metrics import Metrics
from console.integrations.reading import text
from console.integrations.secrets import Secrets
from console.integrations.settings import Webhook
from console.integrations.signing import Unauthentic, Window
from console.integrations.webhooks.signature import verified
from gateway.edge.credentials.injector import CredentialError

PATH = "/integrations/webhooks"
STATUS: dict[Outcome, int] = {
    "counted": 200,
    "refused": 409,
    "stranger": 403,
    "unknown": 404,
    "unavailable": 503,
}


class WebhookWords:
    """Where one webhook's decisions come in."""

    def __init__(
        self, settings: Webhook, desk: DeskLike, metrics: Metrics, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._metrics = metrics
        self._settings = settings
        self._name = f"webhook.{settings.name}"
        self._desk = desk
        self._decisions = Decisions(desk, self._name, metrics)
        self._secrets = Secrets(self._name, settings.secrets)
        self._window = Window(settings.tolerance_seconds, clock)

    def routes(self) -> list[Route]:
        """One, when decisions are taken at all."""
        path = f"{PATH}/{self._settings.name}"
        return [Route(path, self._take, methods=["POST"])] if self._settings.decisions else []

    async def _take(self, request: Request) -> Response:
        try:
            body = await body_of(request)
            message_id = verified(request.headers, body, self._secrets, self._window)
            document = json.loads(body)
            if text(document, "type") != "approval.decision":
                raise ValueError("another type")
            if not self._window.first(message_id):
                return self._again(document)
        except Unauthentic as error:
            return refused(self._metrics, self._name, error, 401)
        except CredentialError as error:
            return refused(self._metrics, self._name, error, 503)
        except (TooLong, ClientDisconnect, ValueError, RecursionError) as error:
            return refused(self._metrics, self._name, error)
        return await self._decide(document, message_id)

    async def _decide(self, document: Any, message_id: str) -> Response:
        person = f"{self._settings.name}/{text(document, 'data', 'person')}"
        found, verb = text(document, "data", "approval_id"), text(document, "data", "verb")
        word = Word(found, verb, "webhook", person, text(document, "data", "comment"))
        reply = await self._decisions.take(word)
        if reply.outcome == "unavailable":
            self._window.forget(message_id)  # it may be sent again, and then count
        answer = {"approval_id": approval_id(found), "outcome": reply.outcome, "detail": reply.text}
        return JSONResponse({**answer, "state": self._state(found)}, STATUS[reply.outcome])

    def _again(self, document: Any) -> Response:
        found = text(document, "data", "approval_id")
        answer = {"approval_id": approval_id(found), "outcome": "repeated", "state": self._state(found)}
        return JSONResponse(answer)

    def _state(self, found: str) -> str:
        standing = self._desk.standing(approval_id(found))
        return standing.state if standing else ""
