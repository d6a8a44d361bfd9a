"""The worker's probes over a real socket."""

import asyncio
from pathlib import Path

import pytest

from processors.metrics import Metrics
from processors.probes import Probes


async def ask(port: int, head: bytes) -> bytes:
    """The whole answer to a request head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("reason", "request_line", "expected"),
    [
        ("", b"GET /healthz HTTP/1.1", b"200 OK"),
        ("", b"GET /readyz?x=1 HTTP/1.1", b"200 OK"),
        ("no partitions", b"GET /readyz HTTP/1.1", b"503 Service Unavailable"),
        ("", b"GET /metrics HTTP/1.1", b"200 OK"),
        ("", b"GET /other HTTP/1.1", b"404 Not Found"),
        ("", b"POST /metrics HTTP/1.1", b"405 Method Not Allowed"),
        ("", b"rubbish", b"400 Bad Request"),
    ],
)
async def test_each_path_has_its_answer(
    tmp_path: Path, reason: str, request_line: bytes, expected: bytes
) -> None:
    port_file = tmp_path / "port"
    server = await Probes(Metrics().registry, lambda: reason).start("127.0.0.1", 0, port_file)
    async with server:
        answer = await ask(int(port_file.read_text()), request_line + b"\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + expected)
    assert reason.encode() in answer


async def test_a_head_without_end_is_not_read_for_ever() -> None:
    server = await Probes(Metrics().registry, str).start("127.0.0.1", 0, None)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await ask(port, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 5_000) == b""
