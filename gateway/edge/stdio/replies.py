"""One HTTP answer that grows with what a program says. It is read as the answer of an HTTP upstream is."""

import asyncio
from typing import Protocol

from gateway.edge.http1 import BUFFER_BYTES_MAX, UpstreamBrokenError
from gateway.effects import Broken, Gone, Head
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import error_body

KEEP_ALIVE = b": keep-alive\n\n"
_JSON = (b"content-type", b"application/json")
_EVENTS: Headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform")]


class Owner(Protocol):
    """Who fills a reply."""

    def pressed(self, reply: "Reply", full: bool) -> None:
        """The reply holds more than it should, because its client is slow; or it no longer does."""

    def left(self, reply: "Reply") -> None:
        """Nobody reads the reply any more."""


class Reply:
    """An answer under way: `whole`, or `open` then `send` … `close`; `broke` ends it where it is.

    Waits as `Http1Connection` does: on one future, and whoever ends it first decides. With `ping_seconds` a silent
    stream gets a comment so often, so that a quiet subscription is not taken for a dead one.
    """

    def __init__(self, owner: Owner | None = None, ping_seconds: float = 0.0) -> None:
        self._owner = owner
        self._ping_seconds = ping_seconds
        self._head: Head | None = None
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._full = False
        self._complete = False
        self._fault: Broken | Gone | None = None
        self._wait: asyncio.Future[None] | None = None

    # -- what the owner does

    def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole answer at once; `body` is JSON, or b'' for none."""
        self._head = Head(status, [*headers, _JSON] if body else headers)
        self._chunks = [body] if body else []
        self._buffered = len(body)
        self.close()

    def open(self, headers: Headers) -> None:
        """The head of an event stream."""
        self._head = Head(200, [*_EVENTS, *headers])
        self._wake()

    def send(self, block: bytes) -> None:
        """The next event."""
        self._chunks.append(block)
        self._buffered += len(block)
        if self._buffered > BUFFER_BYTES_MAX:
            self._press(True)
        self._wake()

    def close(self) -> None:
        """The answer has come to its end."""
        self._complete = True
        self._wake()

    def broke(self, fact: Broken) -> None:
        """No more will come; what is here may still be read."""
        if self._fault is None and not self._complete:
            self._fault = fact
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether nothing more will be put into it."""
        return self._complete or self._fault is not None

    # -- what an exchange does

    async def head(self) -> Head:
        """Status and headers. Raises UpstreamBrokenError."""
        while self._head is None:
            await self._changed()
        return self._head

    def ready(self) -> bytes | None:
        """The bytes that are here, b"" at the end, None when there are none yet."""
        if self._chunks:
            return self._take()
        return b"" if self._complete else None

    async def chunk(self) -> bytes:
        """The next bytes, b"" at the end. Raises UpstreamBrokenError."""
        while not self._chunks and not self._complete:
            await self._changed(self._ping_seconds)
            if self._ping_seconds and not self._chunks and not self._complete:
                return KEEP_ALIVE
        return self._take() if self._chunks else b""

    async def body(self, bytes_max: int) -> bytes:
        """The whole body. Raises UpstreamBrokenError, also when it is larger than `bytes_max`."""
        while not self._complete:
            await self._changed()
        if self._buffered > bytes_max:
            raise UpstreamBrokenError(Broken("withheld", "response_too_large", f"over {bytes_max} bytes"))
        return self._take() if self._chunks else b""

    def fail(self, fact: Broken | Gone) -> None:
        """Ends the wait under way, and every later one, with `fact`."""
        if self._fault is None:
            self._fault = fact
        self._wake()
        self.leave()

    def leave(self) -> None:
        """Nobody reads it any more. May be said more than once."""
        self._press(False)
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.left(self)

    def _take(self) -> bytes:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        self._buffered = 0
        self._press(False)
        return data

    def _press(self, full: bool) -> None:
        if full is not self._full and self._owner is not None:
            self._full = full
            self._owner.pressed(self, full)

    async def _changed(self, seconds: float = 0.0) -> None:
        if self._fault is not None:
            raise UpstreamBrokenError(self._fault)
        loop = asyncio.get_running_loop()
        self._wait = loop.create_future()
        timer = loop.call_later(seconds, self._wake) if seconds else None
        try:
            await self._wait
        finally:
            if timer is not None:
                timer.cancel()
        if self._fault is not None and not self._chunks:
            raise UpstreamBrokenError(self._fault)

    def _wake(self) -> None:
        if self._wait is not None and not self._wait.done():
            self._wait.set_result(None)


def said(status: int, headers: Headers | None = None, body: bytes = b"") -> Reply:
    """An answer that is whole from the start."""
    reply = Reply()
    reply.whole(status, headers or [], body)
    return reply


def refused(status: int, code: int, message: str, headers: Headers, request_id: str = "") -> Reply:
    """A JSON-RPC error; `request_id` is a JSON literal, '' for none."""
    return said(status, headers, error_body(request_id, code, message))
