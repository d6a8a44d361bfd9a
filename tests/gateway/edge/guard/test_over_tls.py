"""The guard where clients speak TLS: a connection cannot be half closed there, and the answer must still arrive."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from gateway.edge.guard import Door, DoorRefusal, GuardedHttpProtocol
from gateway.edge.perform import Receive, Scope, Write
from tests.abuse.raw import PING, Socket, post
from tests.support.certificates import Authority


class App:
    """Answers everything at once, whether or not the body has come; remembers what was refused at its door."""

    def __init__(self) -> None:
        self.door = Door(self.refused)
        self.refusals: list[DoorRefusal] = []

    async def refused(self, refusal: DoorRefusal) -> str:
        self.refusals.append(refusal)
        return "00000000-0000-0000-0000-000000000001"

    async def __call__(self, _scope: Scope, _receive: Receive, send: Write) -> None:
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[tuple[App, Socket]]:
    """A client of a server with a certificate."""
    authority = Authority(tmp_path)
    pair = authority.issue("localhost")
    app = App()
    config = uvicorn.Config(
        app,
        http=GuardedHttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        ssl_certfile=pair.certificate,
        ssl_keyfile=str(pair.key),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    context = ssl.create_default_context(cafile=str(authority.ca))
    port = listening.getsockname()[1]
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost"
    )
    yield app, Socket(reader, writer)
    writer.transport.abort()
    server.should_exit = True
    await task
    listening.close()


async def test_requests_pass_and_what_is_refused_is_told_and_recorded(client: tuple[App, Socket]) -> None:
    app, socket_ = client
    await socket_.send(post())
    assert (await socket_.answer()).status == 200
    await socket_.send(post(b"Content_Length: 5", body=b"x" * 500_000))
    answer = await socket_.answer()
    assert (answer.status, answer.reason_code) == (400, "malformed_head")
    assert await socket_.ended() == b""
    (refusal,) = app.refusals
    assert (refusal.method, refusal.path, refusal.reason_code) == ("POST", "/mcp/demo", "malformed_head")


async def test_an_answer_before_the_bodys_end_arrives_and_is_the_last(client: tuple[App, Socket]) -> None:
    _, socket_ = client
    await socket_.send(post(body=PING * 100_000)[:1_000_000] + post())
    answer = await socket_.answer()
    assert (answer.status, answer.headers[b"connection"]) == (200, b"close")
    assert await socket_.ended() == b""
