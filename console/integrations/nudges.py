"""Callbacks that say no more than that something may have changed: signed, fresh, taken once, and never believed
beyond that."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from console.integrations.calls import TooLong, body_of, refused
from console.integrations.metrics import Metrics
from console.integrations.secrets import Secrets
from console.integrations.signing import Unauthentic, Window
from gateway.edge.credentials.injector import CredentialError

Verify = Callable[[Headers, bytes, Secrets, Window], str]
"""What tells a call from others. Raises Unauthentic, CredentialError, ValueError for what is not the vendor's."""


class Nudges:
    """Where the callbacks of one vendor come in, when there are secrets (`signed`) to verify them with."""

    def __init__(
        self,
        secrets: Secrets,
        window: Window,
        verify: Verify,
        nudge: Callable[[], None],
        metrics: Metrics,
        *,
        vendor: str,
        signed: bool,
    ) -> None:
        self._secrets, self._window, self._verify = secrets, window, verify
        self._nudge, self._metrics = nudge, metrics
        self._vendor, self._signed = vendor, signed

    def routes(self) -> list[Route]:
        """One, when there is a secret."""
        path = f"/integrations/{self._vendor}"
        return [Route(path, self._take, methods=["POST"])] if self._signed else []

    async def _take(self, request: Request) -> Response:
        try:
            body = await body_of(request)
            if self._window.first(self._verify(request.headers, body, self._secrets, self._window)):
                self._nudge()
        except Unauthentic as error:
            return refused(self._metrics, self._vendor, error, 401)
        except CredentialError as error:
            return refused(self._metrics, self._vendor, error, 503)
        except (TooLong, ClientDisconnect, ValueError, RecursionError) as error:
            return refused(self._metrics, self._vendor, error)
        return Response(status_code=200)
