"""One token, held while it is good: asked for once however many wait, and again before it ends."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.token import Token
from gateway.frames.headers import Headers

RENEW_AT = 0.8  # of its life
RETRY_SECONDS = 1.0  # after a failure the provider is left alone for so long

log = structlog.get_logger("credentials")

Ask = Callable[[], Coroutine[Any, Any, Token]]


class HeldToken:
    """`now` serves from memory; `wait` is for when there is nothing to serve."""

    def __init__(self, connection: str, clock: Clock = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._token: Token | None = None
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._retry_at = 0.0
        self._fault = ""
        self._asking: asyncio.Task[None] | None = None

    def now(self, ask: Ask) -> Headers | None:
        """The header of the token, None when there is none; late in its life `ask` is begun in the background."""
        now = self._clock()
        token = self._token
        if token is None or now >= self._ends_at:
            return None
        if now >= self._renew_at and now >= self._retry_at and self._asking is None:
            self._begin(ask)
        return [(b"authorization", token.header)]

    async def wait(self, ask: Ask) -> Headers:
        """Asks for a token, together with whoever waits too. Raises CredentialError."""
        if self._asking is None:
            if self._clock() < self._retry_at:
                raise CredentialError(self._fault)
            self._begin(ask)
        assert self._asking is not None
        await asyncio.shield(self._asking)
        found = self.now(ask)
        if found is None:
            raise CredentialError(self._fault or "the provider of tokens gave a token that has expired")
        return found

    async def close(self) -> None:
        """Ends a question under way."""
        asking = self._asking
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _begin(self, ask: Ask) -> None:
        self._asking = asyncio.get_running_loop().create_task(self._renew(ask))
        self._asking.add_done_callback(self._done)

    def _done(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _renew(self, ask: Ask) -> None:
        asked_at = self._clock()
        try:
            token = await ask()
        except CredentialError as error:
            self._failed(error.reason)
            return
        if self._fault:
            log.info("credential_available", connection=self._connection)
        self._fault = ""
        self._token = token
        self._renew_at = asked_at + token.life_seconds * RENEW_AT
        self._ends_at = asked_at + token.life_seconds

    def _failed(self, reason: str) -> None:
        if reason != self._fault:
            log.error("credential_unavailable", connection=self._connection, reason=reason)
        self._fault = reason
        self._retry_at = self._clock() + RETRY_SECONDS
