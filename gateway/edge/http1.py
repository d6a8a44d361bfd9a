"""One HTTP/1.1 connection to an upstream, on httptools.

Every wait is on one future, and whoever ends it first decides: bytes from upstream, a time-out, the client that
has gone, a lost connection. That keeps an exchange at two waits in the common case.
"""

import asyncio
import re
from typing import cast

import httptools

from gateway.effects import Broken, Gone, Head
from gateway.frames.headers import Headers

HEAD_BYTES_MAX = 64 * 1024
# Interim answers and the final head by the strict grammar of RFC 9112: the parser forgives bare LF and folded lines,
# and what it would make of them another reader, the client among them, might not.
_FIELDS = rb"\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n"
_REASON = rb"(?: [\t\x20-\x7e\x80-\xff]*+)?"
_HEADS = re.compile(
    rb"(?:HTTP/1\.1 1[0-9][0-9]" + _REASON + _FIELDS + rb")*+HTTP/1\.[01] [2-9][0-9][0-9]" + _REASON + _FIELDS
)
BUFFER_BYTES_MAX = 256 * 1024


class UpstreamBrokenError(Exception):
    """Waiting on upstream ended without an answer; `fact` says how."""

    def __init__(self, fact: Broken | Gone) -> None:
        super().__init__(fact)
        self.fact = fact


class Http1Connection(asyncio.Protocol):
    """Carries one exchange at a time. `idle_since` is set while it waits in the pool."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._wait: asyncio.Future[None] | None = None
        self._fault: Broken | Gone | None = None
        self._drained: asyncio.Future[None] | None = None
        self._reset()
        self.lost = False
        self.idle_since = 0.0
        self.tls_version = 0  # see `ClientTls.version`

    def _reset(self) -> None:
        self._status = 0
        self._headers: Headers = []
        self._head = b""
        self._head_done = False
        self._complete = False
        self._keep_alive = False
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._paused = False
        self._bodiless = False

    # -- what an exchange does

    def send(self, data: bytes) -> None:
        """Writes one whole request."""
        self._reset()
        self._bodiless = data.startswith(b"HEAD ")
        cast("asyncio.Transport", self._transport).write(data)

    async def head(self) -> Head:
        """The head of the final answer (informational ones are passed over). Raises UpstreamBrokenError."""
        while not self._head_done:
            await self._changed()
        return Head(self._status, self._headers)

    def ready(self) -> bytes | None:
        """The bytes of the body that are already here; b"" when it has ended, None when none are here yet."""
        if self._chunks:
            return self._take()
        return b"" if self._complete else None

    async def chunk(self) -> bytes:
        """The next bytes of the body, b"" at its end. Raises UpstreamBrokenError."""
        while not self._chunks and not self._complete:
            await self._changed()
        return self._take() if self._chunks else b""

    async def body(self, bytes_max: int) -> bytes:
        """The whole body. Raises UpstreamBrokenError, also when it is larger than `bytes_max`."""
        parts: list[bytes] = []
        size = 0
        while not self._complete:
            await self._changed_or_full()
            size += self._buffered
            if self._chunks:
                parts.append(self._take())
            if size > bytes_max:
                raise UpstreamBrokenError(Broken("withheld", "response_too_large", f"over {bytes_max} bytes"))
        if self._chunks:
            size += self._buffered
            parts.append(self._take())
        if size > bytes_max:
            raise UpstreamBrokenError(Broken("withheld", "response_too_large", f"over {bytes_max} bytes"))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def fail(self, fact: Broken | Gone) -> None:
        """Ends the wait under way, and every later one, with `fact`; the connection cannot be used again."""
        if self._fault is None:
            self._fault = fact
        self._wake()
        self.abort()

    def abort(self) -> None:
        """Closes the connection at once: upstream sees that nobody listens any more."""
        self.lost = True
        if self._transport is not None:
            self._transport.abort()

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow on this connection."""
        return (
            self._complete
            and self._keep_alive
            and not self.lost
            and not self._chunks
            and self._transport is not None
            and not self._transport.is_closing()
        )

    async def _changed(self) -> None:
        if self._fault is not None:
            raise UpstreamBrokenError(self._fault)
        self._wait = self._loop.create_future()
        await self._wait
        if self._fault is not None:
            raise UpstreamBrokenError(self._fault)

    async def _changed_or_full(self) -> None:
        if not self._chunks:
            await self._changed()

    def _take(self) -> bytes:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._paused and self._transport is not None and not self.lost:
            self._paused = False
            self._transport.resume_reading()
        return data

    def _wake(self) -> None:
        if self._wait is not None and not self._wait.done():
            self._wait.set_result(None)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._complete:
            self.abort()  # it sent what nobody asked for; the answer before that stands
            return
        if self._fault is not None:
            return
        in_head = not self._head_done
        if in_head:
            self._head += data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if not self._complete:
                self.fail(Broken("upstream_failed", "upstream_broke", f"not HTTP/1.1: {type(exc).__name__}"))
                return
            self.abort()
        if in_head and not self._head_stands():
            return
        if self._head_done:
            self._wake()

    def _head_stands(self) -> bool:
        """Whether nothing is wrong with the head as far as it has come; else the exchange fails."""
        wrong = ""
        if self._head_done and not _HEADS.match(self._head):
            self._head_done = self._complete = False
            wrong = "its head is not by the grammar of HTTP/1.1"
        elif not self._head_done and len(self._head) > HEAD_BYTES_MAX:
            wrong = "its headers are too long"
        if wrong:
            self.fail(Broken("upstream_failed", "upstream_broke", wrong))
        elif self._head_done:
            self._head = b""
        return not wrong

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        self.lost = True
        if self._head_done and not self._complete and self._ends_with_connection():
            self._complete = True
        if not self._complete and self._fault is None:
            self._fault = Broken("upstream_failed", "upstream_broke", "it closed the connection")
        self._wake()

    def _ends_with_connection(self) -> bool:
        names = {name for name, _ in self._headers}
        return b"content-length" not in names and b"transfer-encoding" not in names

    # -- httptools

    def on_message_begin(self) -> None:
        if self._complete:
            raise ValueError("a second answer")  # ends parsing and connection; the first answer stands
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_done:  # fields after a chunked body are no headers
            self._headers.append((name.lower(), value.strip(b" \t")))  # RFC 9110, 5.5

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            self._head_done = True
            self._keep_alive = self._parser.should_keep_alive() and not self._bodiless
            # Whatever length it says: the parser would wait for that, so the connection ends with it
            self._complete = self._bodiless

    def on_body(self, data: bytes) -> None:
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > BUFFER_BYTES_MAX and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._head_done:
            self._complete = True
