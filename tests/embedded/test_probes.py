"""Probes and ports against real sockets."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from sluicegate.embedded.errors import PortInUse
from sluicegate.embedded.ports import CHOICE, free_port, tcp_port_free
from sluicegate.embedded.probes import NotReady, file_ready, http_ready, kafka_ready
from tests.support.certificates import Authority, server_context


async def serve(answer: bytes, context: ssl.SSLContext | None = None) -> asyncio.Server:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


async def test_http_200_is_ready() -> None:
    async with await serve(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as server:
        await http_ready(f"http://127.0.0.1:{port_of(server)}/readyz")(5)


async def test_a_server_with_tls_is_believed_for_its_own_certificate_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours, other = authority.issue("gateway.example.com"), authority.issue("other.example.com")
    async with await serve(b"HTTP/1.1 200 OK\r\n\r\n", server_context(ours)) as server:
        url = f"https://127.0.0.1:{port_of(server)}/readyz"
        await http_ready(url, ours.certificate)(5)
        with pytest.raises(NotReady, match="CERTIFICATE_VERIFY_FAILED"):
            await http_ready(url, other.certificate)(0.3)


async def test_another_status_is_not_ready_and_its_body_says_why() -> None:
    async with await serve(b"HTTP/1.1 503 No\r\n\r\ntopics are missing") as server:
        with pytest.raises(NotReady, match=r"/readyz answered 503: topics are missing"):
            await http_ready(f"http://127.0.0.1:{port_of(server)}/readyz")(0.3)


async def test_nobody_there_is_not_ready(silent_port: int) -> None:
    with pytest.raises(NotReady, match=r"Connect call failed"):
        await http_ready(f"http://127.0.0.1:{silent_port}/readyz")(0.3)


async def test_a_server_that_never_answers_is_not_ready() -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        with pytest.raises(NotReady):
            await http_ready(f"http://127.0.0.1:{port_of(server)}/")(0.3)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x04\0\0\0\1"])
async def test_what_is_not_kafka_is_not_a_ready_broker(answer: bytes) -> None:
    async with await serve(answer) as server:
        with pytest.raises(NotReady):
            await kafka_ready(port_of(server))(0.3)


async def test_a_file_is_ready_when_it_is_there(tmp_path: Path) -> None:
    waiting = asyncio.ensure_future(file_ready(tmp_path / "ready")(5))
    with pytest.raises(NotReady, match="not there yet"):
        await file_ready(tmp_path / "ready")(0.2)
    (tmp_path / "ready").touch()
    await waiting


async def test_a_taken_port_is_named_with_its_holder_and_the_setting() -> None:
    async with await serve(b"") as server:
        port = port_of(server)
        with pytest.raises(PortInUse, match=rf"127.0.0.1:{port}: .*in use, by .*or change gateway\.listen"):
            tcp_port_free("127.0.0.1", port, "gateway.listen")
    tcp_port_free("127.0.0.1", port, "gateway.listen")


def test_a_chosen_port_is_free_and_out_of_the_way_of_outgoing_connections() -> None:
    port = free_port()
    assert port in CHOICE
    tcp_port_free("127.0.0.1", port, "")


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(PortInUse, match=r"192\.0\.2\.1:8080.*[Cc]annot assign"):
        tcp_port_free("192.0.2.1", 8080, "gateway.listen")
