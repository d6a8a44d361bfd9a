"""`/healthz`, `/readyz` and `/metrics` of a worker: a small HTTP server, for GET only."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

HEAD_BYTES_MAX = 8 * 1024
READ_SECONDS = 5.0
TEXT = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"

Answer = tuple[int, str, bytes]
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Probes:
    """Answers about one worker. `not_ready` gives the reason why the worker is not ready, or ''."""

    def __init__(self, registry: CollectorRegistry, not_ready: Callable[[], str]) -> None:
        self._registry = registry
        self._not_ready = not_ready

    async def start(self, host: str, port: int, port_file: Path | None) -> asyncio.Server:
        """Listen; port 0 takes a free one. The port is written to `port_file` in one step. Raises OSError."""
        server = await asyncio.start_server(self._serve, host, port, limit=HEAD_BYTES_MAX)
        if port_file is not None:
            draft = port_file.with_name(port_file.name + ".new")
            draft.write_text(f"{server.sockets[0].getsockname()[1]}\n")
            draft.replace(port_file)
        return server

    def answer(self, method: str, path: str) -> Answer:
        """Status, content type and body."""
        if method not in ("GET", "HEAD"):
            return 405, TEXT, b"GET only\n"
        match path.partition("?")[0]:
            case "/healthz":
                return 200, TEXT, b"ok\n"
            case "/readyz":
                reason = self._not_ready()
                return (503, TEXT, f"{reason}\n".encode()) if reason else (200, TEXT, b"ready\n")
            case "/metrics":
                return 200, METRICS, generate_latest(self._registry)
        return 404, TEXT, b"/healthz, /readyz or /metrics\n"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(*self._answer_to(head)))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # not a client of ours, or gone: nothing to answer
        finally:
            writer.close()

    def _answer_to(self, head: bytes) -> Answer:
        words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        if len(words) != 3:
            return 400, TEXT, b"not an HTTP request\n"
        return self.answer(words[0], words[1])


def _response(status: int, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
