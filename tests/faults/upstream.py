"""An MCP upstream on a raw socket that notes the mark of every call it has seen."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

MARK = re.compile(rb'"mark":"(m-\d+)"')


class MarkedUpstream:
    """Answers each call with its own mark; `seen` holds every mark that arrived."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> MarkedUpstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        """Where a connection points."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/mcp"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")
                )
                mark = MARK.search(await reader.readexactly(length))
                if mark is None:
                    raise ValueError("a call without a mark reached upstream")
                self.seen.add(mark[1].decode())
                body = b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"mark":"%b"}}' % mark[1]
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                    % (len(body), body)
                )
        writer.close()
