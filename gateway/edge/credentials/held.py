"""What a provider gave for a time: asked for once however many wait for it, and again before it ends."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import structlog

from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.token import Token
from gateway.frames.headers import Headers

RENEW_AT = 0.8  # of its life
RETRY_SECONDS = 1.0  # after a failure the provider is left alone for so long

log = structlog.get_logger("credentials")


class Lasting(Protocol):
    """What is good for so long, from when it was asked for."""

    @property
    def life_seconds(self) -> float: ...


T = TypeVar("T", bound=Lasting)
Ask: TypeAlias = Callable[[], Coroutine[Any, Any, T]]


class Held(Generic[T]):
    """`current` serves from memory; `awaited` is for when there is nothing to serve."""

    def __init__(self, connection: str, clock: Clock = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._there: T | None = None
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._retry_at = 0.0
        self._fault = ""
        self._asking: asyncio.Task[None] | None = None

    def current(self, ask: Ask[T]) -> T | None:
        """What there is, None when there is nothing good; late in its life `ask` is begun in the background."""
        now = self._clock()
        there = self._there
        if there is None or now >= self._ends_at:
            return None
        if now >= self._renew_at and now >= self._retry_at and self._asking is None:
            self._begin(ask)
        return there

    async def awaited(self, ask: Ask[T]) -> T:
        """Asks, together with whoever waits too. Raises CredentialError."""
        if self._asking is None:
            if self._clock() < self._retry_at:
                raise CredentialError(self._fault)
            self._begin(ask)
        assert self._asking is not None
        await asyncio.shield(self._asking)
        found = self.current(ask)
        if found is None:
            raise CredentialError(self._fault or "the provider of tokens gave a token that has expired")
        return found

    async def get(self, ask: Ask[T]) -> T:
        """What there is, without waiting where it is good. Raises CredentialError."""
        return self.current(ask) or await self.awaited(ask)

    async def close(self) -> None:
        """Ends a question under way."""
        asking = self._asking
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _begin(self, ask: Ask[T]) -> None:
        self._asking = asyncio.get_running_loop().create_task(self._renew(ask))
        self._asking.add_done_callback(self._done)

    def _done(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _renew(self, ask: Ask[T]) -> None:
        asked_at = self._clock()
        try:
            there = await ask()
        except CredentialError as error:
            self._failed(error)
            return
        if self._fault:
            log.info("credential_available", connection=self._connection)
        self._fault = ""
        self._there = there
        self._renew_at = asked_at + there.life_seconds * RENEW_AT
        self._ends_at = asked_at + there.life_seconds

    def _failed(self, error: CredentialError) -> None:
        if error.reason != self._fault:
            detail = {"detail": error.detail} if error.detail else {}
            log.error("credential_unavailable", connection=self._connection, reason=error.reason, **detail)
        self._fault = error.reason
        self._retry_at = self._clock() + RETRY_SECONDS


class HeldToken(Held[Token]):
    """A token, served as the header that carries it."""

    def now(self, ask: Ask[Token]) -> Headers | None:
        """See `current`."""
        token = self.current(ask)
        return None if token is None else [(b"authorization", token.header)]

    async def wait(self, ask: Ask[Token]) -> Headers:
        """See `awaited`."""
        return [(b"authorization", (await self.awaited(ask)).header)]
