"""uvicorn's HTTP protocol, with the head and the body of an answer leaving in one write.

ASGI hands an answer over in two messages and uvicorn writes each; on the data path that second system call, and the
second packet, cost more than masking does.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CORKED_BYTES_MAX = 64 * 1024
LINGER_SECONDS = 1.0


class Corked:
    """A transport that gathers what is written within one turn of the loop.

    `unread` says, when it is closed, whether the peer may still be sending: a socket that is closed with bytes unread
    is reset, which can destroy the last answer on its way.
    """

    def __init__(self, transport: asyncio.Transport, unread: Callable[[], bool] = lambda: False) -> None:
        self._transport = transport
        self._unread = unread
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0
        self._closing = False

    def write(self, data: bytes) -> None:
        """Will be written, after what was before it, when the loop comes round; at once when it is much, so that
        the transport can tell in time that the peer does not read."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > CORKED_BYTES_MAX:
            self._flush()

    def close(self) -> None:
        """Writes what is left, then closes."""
        if self._closing:
            return
        self._closing = True
        self._flush()
        if not self._unread() or self._transport.is_closing():
            self._transport.close()
            return
        if self._transport.can_write_eof():  # TLS cannot
            self._transport.write_eof()
        self._loop.call_later(LINGER_SECONDS, self._transport.close)

    def is_closing(self) -> bool:
        """Whether nothing more may be written."""
        return self._closing or self._transport.is_closing()

    def _flush(self) -> None:
        if self._parts:
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class CorkedHttpProtocol(HttpToolsProtocol):
    """HttpToolsProtocol over a corked transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection over."""
        super().connection_made(transport)
        self.transport = cast("asyncio.Transport", Corked(transport, self._unread))

    def _unread(self) -> bool:
        return False
