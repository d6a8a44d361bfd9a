"""Calls of a business rule, signed as Standard Webhooks are: something may have changed; no more is believed."""

import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from console.integrations.calls import TooLong, body_of, refused
from console.integrations.metrics import Metrics
from console.integrations.secrets import Secrets
from console.integrations.settings import ServiceNow
from console.integrations.signing import Unauthentic, Window
from console.integrations.webhooks.signature import verified
from gateway.edge.credentials.injector import CredentialError

PATH = "/integrations/servicenow"
WINDOW_SECONDS = 300.0


class ServiceNowNudges:
    """Where such calls come in, when they are signed."""

    def __init__(
        self,
        settings: ServiceNow,
        nudge: Callable[[], None],
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._nudge = nudge
        self._metrics = metrics
        self._signed = bool(settings.webhook_secrets)
        self._secrets = Secrets("servicenow", settings.webhook_secrets)
        self._window = Window(WINDOW_SECONDS, clock)

    def routes(self) -> list[Route]:
        """One, when there is a secret."""
        return [Route(PATH, self._take, methods=["POST"])] if self._signed else []

    async def _take(self, request: Request) -> Response:
        try:
            message_id = verified(request.headers, await body_of(request), self._secrets, self._window)
            if self._window.first(message_id):
                self._nudge()
        except Unauthentic as error:
            return refused(self._metrics, "servicenow", error, 401)
        except CredentialError as error:
            return refused(self._metrics, "servicenow", error, 503)
        except (TooLong, ClientDisconnect) as error:
            return refused(self._metrics, "servicenow", error)
        return Response(status_code=200)
