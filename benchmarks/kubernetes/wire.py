"""The client: one connection, one prepared request, answers read to their end."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LINE_MAX = 1 << 20
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class AnswerError(RuntimeError):
    """An answer that is none to measure. Has its first line."""


@dataclass(frozen=True)
class Place:
    """Where requests go: the root of a Kubernetes API, and what opens it."""

    name: str
    url: str
    tls: ssl.SSLContext
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, path: str) -> bytes:
        """A GET, as it goes on the wire."""
        parts = urlsplit(self.url)
        headers = {
            "Host": parts.netloc,
            "User-Agent": "measurement",
            "Accept": "application/json",
            **self.headers,
        }
        lines = [f"GET {parts.path}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Wire]:
        """A connection, until the block ends."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port, ssl=self.tls, limit=LINE_MAX
        )
        try:
            yield Wire(reader, writer)
        finally:
            writer.transport.abort()


@dataclass(frozen=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def get(self, request: bytes) -> int:
        """Sends it and reads the answer; gives the size of its body. Raises AnswerError."""
        head = await self.open(request)
        if length := _LENGTH.search(head):
            await self.reader.readexactly(int(length[1]))
            return int(length[1])
        if not _CHUNKED.search(head):
            raise AnswerError(f"an answer without an end: {head[:200]!r}")
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
        return size

    async def open(self, request: bytes) -> bytes:
        """Sends it; gives the answer's head. Raises AnswerError for any status but 200."""
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise AnswerError(head.split(b"\r\n", 1)[0].decode(errors="replace"))
        return head

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks of the body, until its end."""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            chunk = await self.reader.readexactly(size + 2)
            yield chunk[:-2]
        await self.reader.readexactly(2)
