"""Asking a part whether it is ready.

A `Ready` waits up to the given seconds; it returns when the part is ready and raises `NotReady` with the
last answer otherwise. It holds no state, so that it serves every restart.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

Ready = Callable[[float], Awaitable[None]]

POLL_S = 0.1
ANSWER_TIMEOUT_S = 3.0
ANSWER_SHOWN = 300


class NotReady(TimeoutError):  # noqa: N818 - reads as the condition it reports
    """The part was not ready in time; the text is the last thing it answered."""


def polled(ask: Callable[[], Awaitable[str]]) -> Ready:
    """Make a `Ready` of a question that answers with what is still missing, or with an empty string.

    A refused connection, a cut answer or one that takes over 3 s counts as missing too.
    """

    async def ready(timeout_s: float) -> None:
        missing, until = "no answer yet", time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, ANSWER_TIMEOUT_S)):
                    missing = await ask()
            except (OSError, EOFError, ValueError, struct.error) as error:
                missing = str(error) or type(error).__name__
            if not missing:
                return
            await asyncio.sleep(POLL_S)
        raise NotReady(missing)

    return ready


def http_ready(url: str, certificate: Path | None = None) -> Ready:
    """Ready when GET `url` answers 200; the body of another answer is what is missing.

    An https `url` needs the file of the server's own certificate: nobody else is believed, whatever it is called.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    request = (
        f"GET {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1\r\n"
        f"Host: {parts.netloc}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode()

    async def ask() -> str:
        context = _only(certificate) if certificate else None
        answer = await _exchange(host, port, request, limit=64 * 1024, context=context)
        head, _, body = answer.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        if status == [b"200"]:
            return ""
        shown = body[:ANSWER_SHOWN].decode(errors="replace").strip()
        return f"{url} answered {b''.join(status).decode(errors='replace') or 'nothing'}: {shown}"

    return polled(ask)


def file_ready(path: Path) -> Ready:
    """Ready when the file exists. Whoever starts the part deletes what an earlier run left."""

    async def ask() -> str:
        return "" if path.exists() else f"{path} is not there yet"  # noqa: ASYNC240 - one stat of a local file

    return polled(ask)


def kafka_ready(port: int, host: str = "127.0.0.1") -> Ready:
    """Ready when the broker answers a metadata request and names itself and a controller."""

    async def ask() -> str:
        brokers, controller = await kafka_metadata(host, port)
        return "" if brokers and controller >= 0 else "the broker is up and has no controller yet"

    return polled(ask)


async def kafka_metadata(host: str, port: int) -> tuple[dict[int, tuple[str, int]], int]:
    """Ask a broker for its cluster: ({node id: (host, port)}, controller's node id or -1).

    The request is Metadata v1 with no topics (Kafka protocol guide, API key 3). By hand, because a client
    library would log every refused connection while the broker starts.

    Raises:
        OSError, EOFError, struct.error: no connection, a cut answer, or one that is not Kafka's.
    """
    body = struct.pack(">hhih", 3, 1, 1, 10) + b"sluicegate" + struct.pack(">i", 0)
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(struct.pack(">i", len(body)) + body)
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        return _read_metadata(await reader.readexactly(min(size, 1 << 20)))
    finally:
        await _close(writer)


def _read_metadata(answer: bytes) -> tuple[dict[int, tuple[str, int]], int]:
    _correlation, count = struct.unpack_from(">ii", answer, 0)
    at, brokers = 8, {}
    for _ in range(count):
        node, length = struct.unpack_from(">ih", answer, at)
        host = answer[at + 6 : at + 6 + length].decode()
        (port, rack) = struct.unpack_from(">ih", answer, at + 6 + length)
        brokers[node] = (host, port)
        at += 12 + length + max(rack, 0)
    (controller,) = struct.unpack_from(">i", answer, at)
    return brokers, controller


def _only(certificate: Path) -> ssl.SSLContext:
    """Believes what stands in this file alone. It is shown at an address of loopback, which it does not bear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(certificate)
    return context


async def _exchange(
    host: str, port: int, request: bytes, limit: int, context: ssl.SSLContext | None = None
) -> bytes:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(request)
        answer = b""
        while len(answer) < limit and (chunk := await reader.read(limit)):
            answer += chunk
        return answer
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
