"""Jira's webhooks: signed (`X-Hub-Signature: sha256=HEX` over the body, WebSub), fresh by their own timestamp, and
never believed beyond that something may have changed."""

import json
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from console.integrations.calls import TooLong, body_of, refused
from console.integrations.metrics import Metrics
from console.integrations.reading import member
from console.integrations.secrets import Secrets
from console.integrations.settings import Jira
from console.integrations.signing import Unauthentic, Window, hex_hmac, same
from gateway.edge.credentials.injector import CredentialError

PATH = "/integrations/jira"
WINDOW_SECONDS = 7_200.0
"""Jira repeats a webhook up to five times, with pauses of up to a quarter of an hour."""


class JiraNudges:
    """Where webhooks come in, when they are signed."""

    def __init__(
        self,
        settings: Jira,
        nudge: Callable[[], None],
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._nudge = nudge
        self._metrics = metrics
        self._signed = bool(settings.webhook_secrets)
        self._secrets = Secrets("jira", settings.webhook_secrets)
        self._window = Window(WINDOW_SECONDS, clock)

    def routes(self) -> list[Route]:
        """One, when there is a secret."""
        return [Route(PATH, self._take, methods=["POST"])] if self._signed else []

    async def _take(self, request: Request) -> Response:
        try:
            body = await body_of(request)
            signature = request.headers.get("x-hub-signature", "")
            if not same(signature, ["sha256=" + hex_hmac(secret, body) for secret in self._secrets.texts()]):
                raise Unauthentic("the signature does not fit")
            at = member(json.loads(body), "timestamp")
            self._window.fresh(str(at // 1_000) if isinstance(at, int) else "")
            if self._window.first(signature):
                self._nudge()
        except Unauthentic as error:
            return refused(self._metrics, "jira", error, 401)
        except CredentialError as error:
            return refused(self._metrics, "jira", error, 503)
        except (TooLong, ClientDisconnect, ValueError, RecursionError) as error:
            return refused(self._metrics, "jira", error)
        return Response(status_code=200)
