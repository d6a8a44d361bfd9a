"""An MCP upstream on a raw socket that notes the mark of every call it has seen."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import suppress

MARK = re.compile(rb'"mark":"(m-\d+)"')
ID = re.compile(rb'"id":(\d+)')


class MarkedUpstream:
    """Answers each call with its own mark, after `pause_seconds`.

    `seen` counts by mark how often it arrived, `requests` by mark and JSON-RPC id.
    """

    def __init__(self, pause_seconds: float = 0.0) -> None:
        self.seen: Counter[str] = Counter()
        self.requests: Counter[tuple[str, int]] = Counter()
        self._pause = pause_seconds
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
                answer = self._answer(await reader.readexactly(length))
                if self._pause:
                    await asyncio.sleep(self._pause)
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
                    % (len(answer), answer)
                )
        writer.close()

    def _answer(self, asked: bytes) -> bytes:
        mark, number = MARK.search(asked), ID.search(asked)
        if mark is None or number is None:
            raise ValueError("a call without a mark or an id reached upstream")
        self.seen[mark[1].decode()] += 1
        self.requests[mark[1].decode(), int(number[1])] += 1
        return b'{"jsonrpc":"2.0","id":%b,"result":{"content":[],"mark":"%b"}}' % (number[1], mark[1])
