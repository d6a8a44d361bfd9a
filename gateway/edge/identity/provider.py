"""The keys of one issuer, kept fresh beside the data path; a request waits only for a key nobody has seen yet."""

import asyncio
import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jwt
import structlog

from gateway.edge.identity.keys import KeySet, usable_keys
from gateway.edge.identity.sources import KeySource
from gateway.settings import Issuer

RETRY_SECONDS_MAX = 30.0
WAITING_MAX = 32  # requests that may wait for an unknown key at once; more are told that it is unknown

# Names that providers give: hex, base64url, base64, UUIDs, thumbprints. A path or a statement is none of them.
_NAME_OF_A_KEY = re.compile(r"[A-Za-z0-9_.:@=+-]{1,128}|[A-Za-z0-9+/]{20,128}={0,2}")

log = structlog.get_logger("identity")


class Provider:
    """Reads the keys of an issuer again and again; keeps the last ones when it does not answer.

    `changed` is called when keys went or came: what was verified by them must be verified anew.
    `usable_until` is on the clock `monotonic`, in seconds.
    """

    def __init__(
        self, issuer: Issuer, source: KeySource, changed: Callable[[], None], monotonic: Callable[[], float]
    ) -> None:
        self.issuer = issuer
        self.fault = f"the keys of {issuer.name} have not been read yet"
        self.ready = False  # whether keys were ever had; how old they may be is `usable_until`
        self.usable_until = -math.inf
        self._source, self._changed, self._monotonic = source, changed, monotonic
        self._document: dict[str, Any] | None = None
        self._keys: KeySet = {}
        self._failures = 0
        self._asked_at = -math.inf
        self._waiting = 0
        self._reading: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def usable(self) -> bool:
        """Whether the keys are not too old to be believed."""
        return self._monotonic() < self.usable_until

    @property
    def failing(self) -> bool:
        """Whether the last reading failed: a key that is not here may be there."""
        return self._failures > 0

    def start(self) -> None:
        """Begins to read, in the running loop."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ends all reading."""
        for task in (self._keeping, self._reading):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def key(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key of that name for that algorithm. For an unknown name the keys are read once more, if that
        has not just been done for another one. Without a name: the only key for the algorithm."""
        if key_id is None:
            fit = [key for (_, name), key in self._keys.items() if name == algorithm]
            return fit[0] if len(fit) == 1 else None
        found = self._keys.get((key_id, algorithm))
        if found is None and not self._named(key_id) and _NAME_OF_A_KEY.fullmatch(key_id):
            await self._look_again()
            found = self._keys.get((key_id, algorithm))
        return found

    def _named(self, key_id: str) -> bool:
        return any(name == key_id for name, _ in self._keys)

    async def _look_again(self) -> None:
        if self._waiting >= WAITING_MAX:
            return
        if self._reading is None or self._reading.done():
            if self._monotonic() - self._asked_at < self.issuer.cooldown_seconds:
                return
            self._asked_at = self._monotonic()
        self._waiting += 1
        try:
            await self._read()
        finally:
            self._waiting -= 1

    async def _keep(self) -> None:
        while True:
            await self._read()
            pause = self._source.every_seconds
            await asyncio.sleep(min(pause, RETRY_SECONDS_MAX, 2.0**self._failures) if self.failing else pause)

    async def _read(self) -> None:
        """Reads the keys, or waits for the reading under way. Whoever is cancelled leaves it to the others."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_once())
        await asyncio.shield(self._reading)

    async def _read_once(self) -> None:
        try:
            self._take(await self._source.read())
        except Exception as error:  # noqa: BLE001 - whatever a provider answers, reading goes on and the fault is told
            self._failures = min(self._failures + 1, 8)
            self.fault = f"the keys of {self.issuer.name} cannot be read: {error or type(error).__name__}"
            log.warning("identity_keys_not_read", issuer=self.issuer.name, fault=self.fault)

    def _take(self, document: dict[str, Any]) -> None:
        if document != self._document:
            self._keys = usable_keys(document, self.issuer.algorithms)
            self._document = document
            log.info("identity_keys_read", issuer=self.issuer.name, keys=sorted({k for k, _ in self._keys}))
            self._changed()
        self._failures = 0
        self.usable_until = self._monotonic() + self.issuer.keys_stale_seconds
        self.ready = self.ready or bool(self._keys)
        self.fault = "" if self._keys else f"{self.issuer.name} has no key that verifies its algorithms"
